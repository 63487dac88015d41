"""Backups of the database in a file of its own kind, which either kind of database can be restored from."""
