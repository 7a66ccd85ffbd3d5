"""A race between two models: pairs, trials, stored baselines, the self-test."""
