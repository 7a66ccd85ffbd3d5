"""What every format says of a profile: columns and sentences."""
