"""Two models compared until it is decided: pairs, trials, stored baselines, the self-test."""
