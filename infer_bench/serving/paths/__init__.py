"""The model that answers, the one behind it, and the requests that wait for them."""
