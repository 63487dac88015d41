"""The ids of a realm's clients in blocks, each with its number of ids and the pieces they contain.

Pages far from the beginning, and rare substrings, are found without scanning all ids.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NAME = sa.String(collation="C").with_variant(sa.String(), "sqlite")
ID = sa.String(36)
BLOCK = 1024


def upgrade() -> None:
    blocks = op.create_table(
        "client_name_blocks",
        sa.Column("realm_id", ID, nullable=False),
        sa.Column("first_client_id", NAME, nullable=False),
        sa.Column("clients", sa.Integer(), nullable=False),
        sa.Column("parts", NAME, nullable=False),
        sa.PrimaryKeyConstraint("realm_id", "first_client_id"),
    )
    connection = op.get_bind()
    following = sa.text(
        "SELECT client_id FROM client_names WHERE realm_id = :realm_id AND client_id > :after"
        " ORDER BY client_id LIMIT :most"
    )
    for realm_id in connection.execute(sa.text("SELECT id FROM realms")).scalars().all():
        after = ""
        while True:
            wanted = {"realm_id": realm_id, "after": after, "most": BLOCK}
            names = connection.execute(following, wanted).scalars().all()
            if not names:
                break
            block = {
                "realm_id": realm_id,
                "first_client_id": names[0] if after else "",
                "clients": len(names),
                "parts": "\n".join(sorted(_pieces(names))),
            }
            connection.execute(sa.insert(blocks), block)
            after = names[-1]


def _pieces(names: Iterable[str]) -> set[str]:
    """Return all pairs of characters in the names, with ASCII letters in lower case, and ids of one
    character."""
    found: set[str] = set()
    for name in names:
        lowered = name.encode().lower().decode()
        found.update(lowered[start : start + 2] for start in range(max(1, len(lowered) - 1)))
    return found


def downgrade() -> None:
    raise RuntimeError("restore a backup of the previous version")
