"""Why predictions differ: changes applied to the reference, jointly, until it predicts what the candidate does."""
