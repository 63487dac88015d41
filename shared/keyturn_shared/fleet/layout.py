"""Names of the keys in Redis."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layout:
    """The keys of one partition. The partition is the hash tag, so a script's keys share a cluster slot."""

    partition: int = 0

    @property
    def prefix(self) -> str:
        return f"kt:{{{self.partition}}}:"

    @property
    def head(self) -> str:
        """Hash: the event log's position in this Redis; see ``head.Head``."""
        return f"{self.prefix}head"

    @property
    def events(self) -> str:
        """Stream of events; entry ids are ``<epoch>-<sequence>``."""
        return f"{self.prefix}events"

    @property
    def nodes(self) -> str:
        """Hash: node id to the node's record; see ``registry.NodeRecord``."""
        return f"{self.prefix}nodes"

    @property
    def claimants(self) -> str:
        """Hash: a node that may mark assertions to "0" while its memory of used ones is awaited, else "1"."""
        return f"{self.prefix}claimants"

    @property
    def key_set_announcements(self) -> str:
        """Stream of fetched key sets."""
        return f"{self.prefix}jwks"

    @property
    def wake(self) -> str:
        """Pub/sub channel on which writers wake the relay."""
        return f"{self.prefix}wake"

    def projections(self, epoch: int) -> str:
        """Hash of one epoch's projections; see ``keyturn_shared.projection`` for its fields."""
        return f"{self.prefix}{epoch}:projections"

    def uses(self, client_uuid: str) -> str:
        """Hash: credential of the client to its last use; see ``last_used``."""
        return f"{self.prefix}uses:{client_uuid}"

    @property
    def refusals(self) -> str:
        """Stream of refused authentications; see ``refusals``."""
        return f"{self.prefix}refusals"

    def failures(self, name: str) -> str:
        """Count of failed authentications. The name is hashed, as a jti is."""
        return f"{self.prefix}failures:{_digest(name)}"

    def assertion(self, issuer: str, jti: str) -> str:
        """Mark of a used assertion. The jti is hashed: callers choose it, its length and its bytes."""
        return self.assertions((issuer,), jti)[0]

    def assertions(self, issuers: Iterable[str], jti: str) -> list[str]:
        """Return the marks of a used assertion under each name of its signer."""
        digest = _digest(jti)
        return [f"{self.prefix}jti:{issuer}:{digest}" for issuer in issuers]


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
