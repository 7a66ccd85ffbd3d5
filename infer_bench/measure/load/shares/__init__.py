"""A load that several workers send: each its share of the schedule, from one start on."""
