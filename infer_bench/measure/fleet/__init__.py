"""Many models, each put through the same jobs: planned, keyed by content, run, and judged as a whole."""
