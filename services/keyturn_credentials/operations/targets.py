"""Target of a change: its author, the object, and the versions that the caller has seen."""

from dataclasses import dataclass

from keyturn_credentials.store.unit_of_work import Actor


@dataclass(frozen=True, slots=True)
class RealmTarget:
    """``expected``: versions of the realm that the caller has seen (If-Match); None: any."""

    actor: Actor
    realm: str
    expected: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class ClientTarget:
    """``expected``: versions of the client that the caller has seen (If-Match); None: any."""

    actor: Actor
    realm: str
    client_uuid: str
    expected: frozenset[int] | None = None
