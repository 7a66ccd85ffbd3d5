"""Which candidates are measured, on which rows."""
