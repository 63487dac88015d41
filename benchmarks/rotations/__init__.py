"""Rotations: how fast a compromised secret ends, and what a campaign costs others."""
