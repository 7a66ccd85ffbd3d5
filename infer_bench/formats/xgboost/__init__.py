"""XGBoost's JSON and UBJSON: what stands in it, its trees, and its columns."""
