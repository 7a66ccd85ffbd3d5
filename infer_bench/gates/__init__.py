"""Pure rules: limits, baselines and the fingerprint that says what is comparable."""
