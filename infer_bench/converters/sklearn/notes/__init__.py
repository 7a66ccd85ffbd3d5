"""What a user should know of a converted estimator that comparing numbers on drawn rows does not show."""
