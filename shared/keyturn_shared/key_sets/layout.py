"""Names of the Redis keys of key sets and their queues."""

from dataclasses import dataclass

from keyturn_shared.fleet.layout import Layout
from keyturn_shared.key_set_address import HOST_CHARACTERS


@dataclass(frozen=True, slots=True)
class KeySetLayout(Layout):
    """The fleet's keys, and those of key sets. The scripts derive names from ids they find in the queues. All
    of them carry the partition's hash tag, so they are in the slot of the keys that the scripts are given."""

    @property
    def due(self) -> str:
        """Sorted set: ids whose last attempt succeeded, by the ms of Redis' clock at which they are due."""
        return f"{self.prefix}keysets:due"

    @property
    def retries(self) -> str:
        """Sorted set like ``due``, of ids whose last attempt failed."""
        return f"{self.prefix}keysets:retries"

    @property
    def used(self) -> str:
        """Hash: id to the ms of Redis' clock at which a client last needed the key set."""
        return f"{self.prefix}keysets:used"

    def record(self, key_set_id: str) -> str:
        """Name the string with the record, see ``record``."""
        return f"{self.prefix}keyset:{key_set_id}"

    def flight(self, key_set_id: str) -> str:
        """Hash: the worker that is fetching, until when, and the remaining fetches for unknown kids."""
        return f"{self.prefix}keyset:{key_set_id}:flight"

    def host(self, key_set_id: str) -> str:
        """Sorted set: ids of one host that are being fetched, by the end of the lease."""
        return f"{self.prefix}keyset-host:{key_set_id[:HOST_CHARACTERS]}"
