"""Reads for callers. Web handlers access neither the database nor Redis themselves."""
