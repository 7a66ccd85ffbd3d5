"""What is answered, an endpoint a class; all of them are plain ASGI applications."""
