"""Why predictions differ: counterfactuals applied to the reference, jointly, until it answers as the candidate does."""
