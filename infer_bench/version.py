"""The version of infer-bench, alone in its file so that every layer may ask for it."""

__version__ = "0.1.0"
