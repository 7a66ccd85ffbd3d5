"""Is this machine fit to measure on: noise, providers, findings."""
