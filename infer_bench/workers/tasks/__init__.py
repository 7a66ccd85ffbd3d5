"""What a worker can be asked besides timing: predict, convert, read trees."""
