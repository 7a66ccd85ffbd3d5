"""The probe test of a bench: rows made to find differences, answered once by every candidate, outside of the timing."""
