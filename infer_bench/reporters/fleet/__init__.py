"""A fleet in each format: models, jobs and verdicts."""
