"""A model in every format that it can take, compared with itself."""
