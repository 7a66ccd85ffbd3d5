"""A template: a worker that imports libraries once, and forks the workers of each layout from itself."""
