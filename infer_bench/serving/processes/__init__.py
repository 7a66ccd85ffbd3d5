"""The processes that serve: one that watches, and the workers, which share its socket and hold a model each."""
