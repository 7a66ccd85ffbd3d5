"""A model behind HTTP, with another behind it."""
