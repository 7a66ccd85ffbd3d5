"""Numbers, ratios, escaping and the grid: how a value or a table becomes text."""
