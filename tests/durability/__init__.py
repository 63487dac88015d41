"""Credentials services killed during writes: no acknowledged change is lost, repeated, or reordered."""
