"""The table of speed: measure each candidate, fill the report, add notices."""
