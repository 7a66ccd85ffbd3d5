"""Measurements: each takes a plan and returns a result. They print nothing."""
