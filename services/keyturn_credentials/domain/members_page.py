"""Tables of docs/keycloak-compatibility.md, generated from the tables of members.

``python -m keyturn_credentials.domain.members_page`` prints them; a test keeps the page equal to them.
"""

import json
import sys
from collections.abc import Iterator
from typing import Final

from keyturn_credentials.domain import mapper_types
from keyturn_credentials.domain.client_members import CLIENT_ATTRIBUTES, CLIENT_MEMBERS
from keyturn_credentials.domain.members import Meaning, Member, Members
from keyturn_credentials.domain.realm_members import REALM_MEMBERS

_TABLES: Final = (
    ("Members of a client", CLIENT_MEMBERS),
    ("Attributes of a client", CLIENT_ATTRIBUTES),
    ("Members of a realm", REALM_MEMBERS),
)


def tables() -> str:
    """Build all tables in Markdown: members with the same meaning and note share a row."""
    members = "\n".join(line for title, members in _TABLES for line in _table(title, members))
    return members + "\n" + "\n".join(_mapper_types())


def _mapper_types() -> Iterator[str]:
    yield from ("### Types of protocol mappers", "", "| type | is | effect |", "|---|---|---|")
    for name, kind in mapper_types.IN_FORCE.items():
        yield f"| `{name}` | supported | {kind.effect} |"
    people = ", ".join(f"`{name}`" for name in sorted(mapper_types.NO_EFFECT_ON_SERVICE_ACCOUNTS))
    others = ", ".join(f"`{name}`" for name in mapper_types.OTHERS)
    yield f"| {people} | kept | none on service accounts, as in Keycloak |"
    yield f"| {others}, scripts, types of your own | kept | none, unlike in Keycloak: it is reported |"
    yield ""


def _table(title: str, members: Members) -> Iterator[str]:
    rows: dict[Member, list[str]] = {}
    for name, member in members.items():
        rows.setdefault(_without_values(member), []).append(f"`{name}`")
    yield from (f"### {title}", "", "| member | is | because |", "|---|---|---|")
    for meaning in Meaning:
        for member, names in rows.items():
            if member.meaning is meaning:
                yield f"| {', '.join(names)} | {_standing(members, names)} | {member.note} |"
    yield ""


def _without_values(member: Member) -> Member:
    return Member(member.meaning, member.note)


def _standing(members: Members, names: list[str]) -> str:
    member = members[names[0].strip("`")]
    values = [f"`{json.dumps(value).strip(chr(34))}`" for value in member.accepted]
    if member.meaning is Meaning.FIXED:
        return f"refused unless empty{''.join(f' or {value}' for value in values)}"
    return member.meaning.value


if __name__ == "__main__":
    sys.stdout.write(tables())
