"""The engine of CatBoost."""
