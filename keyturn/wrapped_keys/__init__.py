"""Wrapped keys of the rings, which a device unwraps when a process starts."""
