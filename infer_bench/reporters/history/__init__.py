"""Runs made at different times, side by side."""
