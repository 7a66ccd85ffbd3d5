"""How rows become the body of a request, and what counts as a right answer: a file a protocol."""
