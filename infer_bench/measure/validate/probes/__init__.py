"""Rows made to find differences, and the comparison on them."""
