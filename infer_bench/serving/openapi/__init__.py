"""What the server answers, as an OpenAPI document and as a page that a browser shows without any other server."""
