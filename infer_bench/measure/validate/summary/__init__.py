"""What a comparison comes to, as values that are added up and written to a file."""
