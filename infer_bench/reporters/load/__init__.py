"""What every format says of a load: columns and sentences."""
