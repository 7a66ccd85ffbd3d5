"""The worker process: what is said to it, the loop it runs, and the pool that holds it."""
