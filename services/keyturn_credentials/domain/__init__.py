"""Realms, clients and their credentials, and their rules. No I/O."""
