"""Comparison of both sides, piece by piece."""
