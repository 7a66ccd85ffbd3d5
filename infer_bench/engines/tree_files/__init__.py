"""Files of trees that one library has written and another runs."""
