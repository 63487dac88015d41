"""The part of an authorization server that serves administrators, from the database alone."""
