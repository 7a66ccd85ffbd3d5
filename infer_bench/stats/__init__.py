"""Pure statistics: no clock, no file, no process."""
