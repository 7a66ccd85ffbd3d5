"""What a model file is, told by its content, and whether its structure holds together: a reader a format."""
