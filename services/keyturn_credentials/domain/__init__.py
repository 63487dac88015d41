"""Realms, clients and their credentials: what they are and the rules they follow. Nothing here does I/O."""
