"""The demonstration: the life of a client's key, on the running local stack."""
