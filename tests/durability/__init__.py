"""Credentials services killed while callers write: no acknowledged change is lost, twice, or out of order."""
