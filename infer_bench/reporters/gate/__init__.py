"""What every format says of a gate: columns, groups, sentences."""
