"""What every format says of a comparison of predictions: columns and sentences."""
