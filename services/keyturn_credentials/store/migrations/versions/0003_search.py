"""Client ids in a small table of their own, with an index of their parts; attributes in the order of ids.

Pages are found in tables that a change of a client does not touch, in the order in which they are shown.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NAME = sa.String(collation="C").with_variant(sa.String(), "sqlite")
ID = sa.String(36)
ROWID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "client_names",
        sa.Column("id", ROWID, primary_key=True, autoincrement=True),
        sa.Column("realm_id", ID, nullable=False),
        sa.Column("client_id", NAME, nullable=False),
        sa.UniqueConstraint("realm_id", "client_id"),
        _of_a_client(),
    )
    op.execute("INSERT INTO client_names (realm_id, client_id) SELECT realm_id, client_id FROM clients")
    if op.get_bind().dialect.name == "postgresql":
        _index_parts_on_postgresql()
    else:
        _index_parts_on_sqlite()
    _attributes_by_client_id()


def _of_a_client() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["realm_id", "client_id"],
        ["clients.realm_id", "clients.client_id"],
        onupdate="CASCADE",
        ondelete="CASCADE",
    )


def _index_parts_on_postgresql() -> None:
    # Case is folded as the search statement folds it: ASCII only, in any locale.
    op.execute(
        """
        CREATE FUNCTION keyturn_parts(name text) RETURNS text[]
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
            SELECT coalesce(array_agg(DISTINCT substr(lower(name COLLATE "C"), place, 3)), '{}')
            FROM generate_series(1, length(name) - 2) AS place
        $$
        """
    )
    op.execute("CREATE INDEX client_names_parts ON client_names USING gin (keyturn_parts(client_id))")


def _index_parts_on_sqlite() -> None:
    op.execute(
        "CREATE VIRTUAL TABLE client_names_parts USING fts5"
        "(client_id, content='client_names', content_rowid='id', tokenize='trigram', detail=none)"
    )
    op.execute("INSERT INTO client_names_parts (client_names_parts) VALUES ('rebuild')")
    add = "INSERT INTO client_names_parts (rowid, client_id) VALUES (new.id, new.client_id);"
    remove = (
        "INSERT INTO client_names_parts (client_names_parts, rowid, client_id)"
        " VALUES ('delete', old.id, old.client_id);"
    )
    for name, when, does in (
        ("inserted", "AFTER INSERT", add),
        ("deleted", "AFTER DELETE", remove),
        ("updated", "AFTER UPDATE OF client_id", f"{remove} {add}"),
    ):
        op.execute(f"CREATE TRIGGER client_names_{name} {when} ON client_names BEGIN {does} END")


def _attributes_by_client_id() -> None:
    op.rename_table("client_attributes", "client_attributes_before")
    op.create_table(
        "client_attributes",
        sa.Column("realm_id", ID, nullable=False),
        sa.Column("client_id", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("value", NAME, nullable=False),
        sa.PrimaryKeyConstraint("realm_id", "client_id", "name", name="pk_client_attributes_of_client"),
        _of_a_client(),
    )
    op.execute(
        "INSERT INTO client_attributes (realm_id, client_id, name, value)"
        " SELECT clients.realm_id, clients.client_id, name, value"
        " FROM client_attributes_before JOIN clients ON clients.uuid = client_attributes_before.client_uuid"
    )
    op.drop_table("client_attributes_before")
    op.create_index(None, "client_attributes", ["realm_id", "name", "value", "client_id"])


def downgrade() -> None:
    raise RuntimeError("restore a backup of the previous version")
