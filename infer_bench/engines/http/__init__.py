"""A service that answers over HTTP: what is sent, what is answered, and the engine that asks it."""
