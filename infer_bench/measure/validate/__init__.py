"""Do two models predict the same: rows, probes, groups, causes."""
