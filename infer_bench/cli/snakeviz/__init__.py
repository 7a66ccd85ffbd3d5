"""Snakeviz, the viewer of a profile: opening it, and the process that serves it."""
