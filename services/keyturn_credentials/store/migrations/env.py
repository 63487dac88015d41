"""Alembic's environment, on the connection and in the transaction of ``store.migrate``."""

from alembic import context

from keyturn_credentials.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite's DDL is transactional, but Alembic assumes otherwise because its driver was not.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
