"""scikit-learn: the engine, and what a fitted estimator says of its columns, values and split points."""
