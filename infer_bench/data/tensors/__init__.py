"""The requests of networks, arrays by input: stacked, read from files, drawn."""
