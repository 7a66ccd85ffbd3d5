"""Pure statistics of requests to an endpoint: percentiles with failures, histograms."""
