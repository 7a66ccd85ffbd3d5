"""Where a request's time goes: runs, stages, functions, the .prof file."""
