"""LightGBM's text: what stands in it, its trees, and its columns."""
