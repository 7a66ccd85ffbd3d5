"""Rows on their way from a body to a session."""
