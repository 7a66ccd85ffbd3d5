"""What a recording comes to: times, errors, validity, limits, a verdict."""
