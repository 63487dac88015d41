"""The demonstration: the whole way of a key, on the running local stack."""
