"""Refusals of the guards before any connection."""
