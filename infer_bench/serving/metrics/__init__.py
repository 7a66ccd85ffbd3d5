"""What a server counts: numbers in memory that all of its processes share, and their text for Prometheus."""
