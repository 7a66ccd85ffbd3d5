"""What each command measures, between the opening of its files and the delivery of its report (`cli.delivery`)."""
