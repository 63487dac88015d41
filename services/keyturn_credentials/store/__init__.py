"""The database: SQLite or PostgreSQL. State and its event commit together or not at all."""
