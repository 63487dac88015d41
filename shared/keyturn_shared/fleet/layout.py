"""Names of the keys in Redis."""

import hashlib
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
        """Hash: where the event log stands in this Redis; see ``head.Head``."""
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
    def key_set_announcements(self) -> str:
        """Stream of fetched key sets."""
        return f"{self.prefix}jwks"

    @property
    def wake(self) -> str:
        """Pub/sub channel on which a writer tells the relay that there is something to do."""
        return f"{self.prefix}wake"

    def projections(self, epoch: int) -> str:
        """Hash of one epoch's projections; see ``keyturn_shared.projection`` for its fields."""
        return f"{self.prefix}{epoch}:projections"

    def uses(self, client_uuid: str) -> str:
        """Hash: credential of the client to when it was last used; see ``uses``."""
        return f"{self.prefix}uses:{client_uuid}"

    def failures(self, name: str) -> str:
        """Count of failed authentications. The name is hashed, as a jti is."""
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return f"{self.prefix}failures:{digest}"

    def assertion(self, client_uuid: str, jti: str) -> str:
        """Mark of a used assertion. The jti is hashed: callers choose it, its length and its bytes."""
        digest = hashlib.blake2b(jti.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return f"{self.prefix}jti:{client_uuid}:{digest}"
