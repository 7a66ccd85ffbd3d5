"""A writer for each kind of scikit-learn estimator."""
