"""Wrapped keys of the rings: unwrapped when a process starts, and made by ``keyturn key-wrapping``."""
