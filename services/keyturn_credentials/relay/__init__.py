"""The relay: copies the event log from the database to Redis, in order, and keeps Redis filled."""
