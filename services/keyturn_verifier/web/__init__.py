"""HTTP: thin translation between requests and the verifier, on raw ASGI for the sake of its hot path."""
