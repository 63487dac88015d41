"""Runs inside Alembic on the connection that ``store.migrate`` hands over, in its transaction."""

from alembic import context

from keyturn_credentials.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite's DDL is transactional; its driver used not to be, so Alembic assumes otherwise.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
