"""Signed statements of the relay about the head of the log in Redis."""

from keyturn_credentials.relay.event_log import EventLog
from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.partitions import Partitioning
from keyturn_shared.fleet.relay_channel import Look
from keyturn_shared.signed_log.errors import ForgedError
from keyturn_shared.signed_log.head import RECENT, HeadStatement, names_of, read_head_statement
from keyturn_shared.signed_log.keys import LogSigningKeys
from keyturn_shared.signed_log.signer import LogSigner


class HeadStatements:
    """Signs and reads these statements with the log's keys."""

    def __init__(self, log: EventLog, keys: LogSigningKeys) -> None:
        self._log = log
        self._keys = keys
        self._known_signer: LogSigner | None = None

    async def signer(self) -> LogSigner:
        """Return the signer of this log. The log's identity is read once."""
        if self._known_signer is None:
            self._known_signer = LogSigner(self._keys, await self._log.identity())
        return self._known_signer

    async def read(self, head: Head | None) -> HeadStatement | None:
        """Return the statement that the relay last signed about the head. None if it was signed with another
        key or concerns another log: Redis must then be refilled."""
        if head is None:
            return None
        try:
            stated = read_head_statement(head.statement, self._keys.first_alone())
        except ForgedError:
            return None
        known = (stated.log, stated.epoch) == ((await self.signer()).log, head.position.epoch)
        return stated if known else None

    async def begin(self, epoch: int, sequence: int, seen: Look, partitioning: Partitioning) -> bytes:
        """Sign a statement about the head of a new epoch that begins at this sequence."""
        first = max(1, sequence - RECENT + 1)
        events = await self._log.read(first, sequence - first + 1) if sequence > 0 else []
        recent = names_of((event.sequence, event.id) for event in events)
        return (await self.signer()).head(
            epoch, sequence=sequence, at=seen.at, recent=recent, partitioning=partitioning
        )

    async def renew(
        self, head: Head, seen: Look, stated: HeadStatement, newest: int, partitioning: Partitioning
    ) -> bytes:
        """Sign a statement about the same head with the current time."""
        return (await self.signer()).head(
            head.position.epoch,
            sequence=newest,
            at=seen.at,
            recent=stated.recent,
            partitioning=partitioning,
        )
