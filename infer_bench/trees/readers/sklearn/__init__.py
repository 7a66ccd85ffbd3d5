"""From fitted scikit-learn estimators to the ensemble form."""
