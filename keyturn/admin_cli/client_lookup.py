"""Clients by client ID or UUID."""

import re
from typing import Any, Final

from keyturn.admin_cli.exits import CommandError
from keyturn.admin_cli.session import Session

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def find_client(session: Session, name: str) -> dict[str, Any]:
    """Return a client's representation. Raises CommandError, also if a client ID is another client's UUID."""
    listed = session.api.get_list(session.path("clients"), {"clientId": name}) if name else []
    by_id: dict[str, Any] | None = next((each for each in listed if each.get("clientId") == name), None)
    by_uuid: dict[str, Any] | None = None
    if _UUID.fullmatch(name):
        by_uuid = session.api.find(session.path("clients", name.lower()))
    if by_id is not None and by_uuid is not None and by_id.get("id") != by_uuid.get("id"):
        raise CommandError(
            f"{name} is the client ID of one client and the UUID of another; use the other name of the one"
            " you mean"
        )
    found = by_id or by_uuid
    if found is None:
        raise CommandError(f"realm {session.realm} has no client {name}")
    if not isinstance(found.get("id"), str) or not isinstance(found.get("clientId"), str):
        raise CommandError("the server sent a client without an ID; is this the URL of keyturn?")
    return found


def uuid_of(session: Session, name: str) -> str:
    """Return a client's UUID. Raises CommandError."""
    return str(find_client(session, name)["id"])
