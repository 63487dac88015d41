"""Series that appear only after faults that a test cannot cause from outside, with their labels."""

import contextlib
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest

from keyturn.probe.metrics import ProbeMetrics
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.errors import StreamsExhaustedError
from keyturn_credentials.fleet.broadcast import FleetBroadcast
from keyturn_credentials.fleet.propagation_view import FleetWatch, Look
from keyturn_credentials.relay.metrics import RelayMetrics
from keyturn_credentials.web.streams import StreamLimits
from keyturn_shared.clock import SystemClock
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.oauth.metrics import AnswerMetrics
from keyturn_shared.tracing.metrics import TraceMetrics
from keyturn_verifier.key_sets.metrics import KeySetMetrics
from keyturn_verifier.metrics import NodeMetrics
from keyturn_verifier.shadow.shadow import ShadowMetrics

_SECONDS: Final = 20.0


class _NoRedis(FleetWatch):
    """The fleet while Redis is away."""

    def __init__(self) -> None:
        pass

    async def look(self) -> Look:
        raise RedisUnavailableError("away")


async def rare_pages() -> dict[str, str]:
    """Return pages with these series, by the process that serves them."""
    credentials, verifier, prober = CollectorRegistry(), CollectorRegistry(), CollectorRegistry()
    _count_faults_of_the_relay(credentials)
    await _count_watchers(credentials)
    TraceMetrics(credentials)  # are there only with KEYTURN_TRACING
    TraceMetrics(verifier)
    _count_faults_of_a_node(verifier)
    ProbeMetrics(prober)  # has all its series from the start
    return {
        "credentials": generate_latest(credentials).decode(),
        "verifier": generate_latest(verifier).decode(),
        "prober": generate_latest(prober).decode(),
    }


def _count_faults_of_the_relay(registry: CollectorRegistry) -> None:
    relay = RelayMetrics(registry)
    relay.failures.labels(cause="RedisUnavailableError")
    relay.refusals.labels(outcome="gap")
    relay.partitions.labels(partition="1")
    AnswerMetrics(registry).errors.labels(kind="KeyError")


async def _count_watchers(registry: CollectorRegistry) -> None:
    with contextlib.suppress(StreamsExhaustedError):
        StreamLimits(0, 1, registry).take(Principal.system())
    broadcast = FleetBroadcast(_NoRedis, registry, elapsed=SystemClock().elapsed)
    async with broadcast.watch(Principal.system()) as watcher:
        await watcher.next(_SECONDS)


def _count_faults_of_a_node(registry: CollectorRegistry) -> None:
    NodeMetrics(registry).renewals.labels(outcome="failed")
    key_sets = KeySetMetrics(registry)
    key_sets.skipped_keys.labels(reason="unusable")
    key_sets.late_seconds.labels(queue="due")
    key_sets.demands.labels(outcome="keys_unavailable")
    key_sets.fetches.labels(outcome="address_not_allowed")
    shadow = ShadowMetrics(registry)
    shadow.compared.labels(kind="agreed")
    shadow.members.labels(member="scope")
