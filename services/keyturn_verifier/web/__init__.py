"""HTTP: a thin translation between requests and the verifier, on raw ASGI because the path is hot."""
