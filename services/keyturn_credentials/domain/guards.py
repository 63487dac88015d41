"""Checks that something exists, in the version that the caller has seen. Pure."""

from typing import Final

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.errors import NotFoundError, PreconditionFailedError

NO_CLIENT: Final = "Could not find client"


def require_realm(realm: Realm | None) -> Realm:
    if realm is None:
        raise NotFoundError("Realm not found.")
    return realm


def require_client(client: Client | None) -> Client:
    if client is None:
        raise NotFoundError(NO_CLIENT)
    return client


def require_version(version: int, expected: frozenset[int] | None) -> None:
    """Raise PreconditionFailedError unless the caller has seen this version; None: any version."""
    if expected is not None and version not in expected:
        raise PreconditionFailedError("the object was changed by another request; read it again")
