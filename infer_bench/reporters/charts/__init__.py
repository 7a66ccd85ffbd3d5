"""Charts of a report, by matplotlib: a module a command, each a set of kinds, and how a figure becomes a file."""
