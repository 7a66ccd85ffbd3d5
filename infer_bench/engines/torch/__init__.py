"""PyTorch: exported programs, and what their graphs say."""
