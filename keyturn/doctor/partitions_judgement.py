"""Judgement of the partitions of used assertions: what was read goes in, findings come out. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from keyturn.doctor.diagnoses import callers
from keyturn.doctor.findings import Finding
from keyturn.doctor.times import span
from keyturn_shared.fleet.claimants import ClaimantsView
from keyturn_shared.fleet.partitions import ONE_PARTITION, PARTITIONING, Partitioning
from keyturn_shared.fleet.registry import NodeRecord, RegistryView

_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class PartitionLook:
    """A partition as its Redis has it. ``epoch``: the one in the database; None if another area judges it."""

    partition: int
    epoch: int | None
    view: ClaimantsView


@dataclass(frozen=True, slots=True)
class LostShard:
    """Partitions whose server did not answer, its address, and why."""

    partitions: tuple[int, ...]
    place: str
    error: str


def judge_number(configured: int, stated: Partitioning) -> Iterator[Finding]:
    """Yield a finding if the relay's statement to the nodes lacks the number of these settings. While the
    number changes, the statement has both."""
    if configured not in stated.counts:
        yield Finding(
            callers.PARTITIONS_DIFFER,
            f"KEYTURN_PARTITIONS is {configured} here, and the relay has stated {stated} to the nodes",
        )


def judge_nodes(view: RegistryView, stated: Partitioning) -> Iterator[Finding]:
    """Yield a finding for each living node that does not use all that the relay has stated. It may use more,
    from an earlier epoch."""
    for node in view.nodes:
        used = _used_by(node)
        if node.expires_at >= view.now and not (used and set(stated.counts) <= set(used.counts)):
            told = "does not report partitions that can be read" if used is None else f"uses {used}"
            yield Finding(
                callers.NODE_OTHER_PARTITIONS, f"{node.node_id} {told}, the relay has stated {stated}"
            )


def judge_partitions(looks: Iterable[PartitionLook]) -> Iterator[Finding]:
    """Yield what is wrong with partitions whose server answers, the first cause of each only."""
    unvouched, awaited, ahead = [], list[Finding](), list[Finding]()
    for look in looks:
        head, partition = look.view.head, look.partition
        if head is None or not head.trusted or look.epoch not in (None, head.position.epoch):
            unvouched.append(partition)
            continue
        seconds = (head.replay_barrier - look.view.now) / 1000
        if seconds > 0:
            ahead.append(
                Finding(
                    callers.PARTITION_BARRIER_AHEAD,
                    f"partition {partition}: the barrier is {span(seconds)} ahead of its clock",
                )
            )
            continue
        nodes = sorted(name for name, is_awaited in look.view.awaited.items() if is_awaited)
        if nodes:
            more = f" and {len(nodes) - _SHOWN} more" if len(nodes) > _SHOWN else ""
            names = ", ".join(name[:100] for name in nodes[:_SHOWN])
            awaited.append(
                Finding(
                    callers.PARTITION_MEMORY_AWAITED,
                    f"partition {partition} waits for the memory of {names}{more}",
                )
            )
    if unvouched:
        yield Finding(callers.PARTITION_NOT_VOUCHED, named(unvouched))
    yield from ahead
    yield from awaited


def judge_lost(shards: Iterable[LostShard]) -> Iterator[Finding]:
    """Yield a finding for each server that does not answer."""
    for shard in shards:
        where = f" at {shard.place}" if shard.place else ""
        yield Finding(callers.PARTITION_UNREACHABLE, f"{named(shard.partitions)}{where}: {shard.error}")


def named(partitions: Iterable[int]) -> str:
    """Return partitions in words, such as ``partition 3`` or ``partitions 1, 3``."""
    numbers = sorted(partitions)
    return f"partition{'' if len(numbers) == 1 else 's'} {', '.join(map(str, numbers))}"


def summary_of(stated: Partitioning) -> str:
    """Return what the fleet uses in words."""
    if stated == ONE_PARTITION:
        return "one, with the event log"
    counts = [str(count) for count in stated.counts]
    return f"{counts[0]} partitions" if len(counts) == 1 else f"{' and '.join(counts)} partitions: changing"


def _used_by(node: NodeRecord) -> Partitioning | None:
    """Return the partitions that a node reports, one if it reports none, and None if it cannot be read."""
    try:
        return Partitioning.parse(node.details.get(PARTITIONING, str(ONE_PARTITION)))
    except (ValueError, TypeError, AttributeError):
        return None
