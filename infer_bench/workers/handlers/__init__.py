"""Who answers which request: a module for each kind of work, imported with its first request."""
