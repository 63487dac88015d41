"""A node without its subscription."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from keyturn_shared.fleet.membership import MembershipChannel
from keyturn_shared.fleet.partitions import Partitioning
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_verifier.metrics import NodeMetrics
from keyturn_verifier.replica.event_applier import EventApplier
from keyturn_verifier.replica.heartbeat import BEHIND_SECONDS, Heartbeat
from keyturn_verifier.replica.lease import Lease
from keyturn_verifier.replica.log_trust import LogTrust
from keyturn_verifier.replica.stream_reader import StreamReader
from tests.testkit.filled_redis import SIGNER


class Forgotten:
    """Records what it was told to invalidate."""

    def __init__(self) -> None:
        self.fields: list[str] = []
        self.all = 0

    def forget(self, fields: Iterable[str]) -> None:
        self.fields += fields

    def forget_all(self) -> None:
        self.all += 1


class Deaf:
    """A node that hears nothing, on a clock that a test advances."""

    def __init__(self, redis: Redis, name: str = "deaf") -> None:
        self.time = 1000.0
        self.forgotten = Forgotten()
        self.lease = Lease(lambda: self.time)
        metrics = NodeMetrics(CollectorRegistry())
        log = LogTrust(SIGNER.keys.verification(), metrics, elapsed=lambda: self.time)
        self.applier = EventApplier(self.forgotten, log, self.lease.advance)
        self.heartbeat = Heartbeat(
            MembershipChannel(RedisScripts(redis), name),
            StreamReader(redis),
            self.applier,
            self.lease,
            log,
            metrics,
            elapsed=lambda: self.time,
            details=lambda: "{}",
            partition=self._partition,
        )

    async def _partition(self, partitioning: Partitioning, epoch: int) -> None:
        """Take the only partition there is."""

    async def catch_up(self) -> None:
        """Run as many rounds as it takes to notice missing events, and to read them."""
        for _ in range(3):
            await self.heartbeat.round()
            self.time += BEHIND_SECONDS
