"""Limits on failed client authentication: per client and address, and per address (docs/adr)."""
