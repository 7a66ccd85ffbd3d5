"""The sampling loop and the sessions that it times."""
