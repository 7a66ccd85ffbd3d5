"""What a worker does to profile a session: profilers, stages, operators, allocations."""
