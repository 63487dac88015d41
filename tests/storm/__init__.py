"""Faults in a fleet of real processes, while callers revoke secrets and check that they are refused."""
