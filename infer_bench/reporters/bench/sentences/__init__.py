"""What the numbers of a bench say, in words. A sentence is said only where it holds. Pure."""
