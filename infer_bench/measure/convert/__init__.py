"""Convert in a worker, check in another, and only then let the file appear."""
