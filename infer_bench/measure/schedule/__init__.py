"""When each candidate is sampled: layouts, rounds, the stopping rules."""
