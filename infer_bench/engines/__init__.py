"""Adapters, one file a library. The protocols are in `base`."""
