"""The database: SQLite or PostgreSQL through SQLAlchemy. State and its event commit together or not at all."""
