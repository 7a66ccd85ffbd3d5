"""Named outputs of networks: what two of them give for the same requests, compared and reported."""
