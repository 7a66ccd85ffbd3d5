"""XGBoost: the engine, and its booster read from any of its files."""
