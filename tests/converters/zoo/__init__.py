"""Ordinary tiny models of every kind, and an oracle that knows nothing of the converter: it asks the library itself."""
