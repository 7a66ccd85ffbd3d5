"""What may stand on a command line: a file a command for its options, and how their texts are read."""
