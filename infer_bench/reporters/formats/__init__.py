"""A file a format: each renders any report, or says that it cannot."""
