"""Propagation of recent changes: which are in progress, and when each node applied them."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from keyturn_credentials.fleet.view import describe
from keyturn_credentials.relay.event_log import EventLog, LoggedEvent
from keyturn_shared.events import decode_event
from keyturn_shared.fleet.registry import FleetRegistry, NodeStatus, RegistryView, status_of, summarize

OTHER_REALM: Final = "change_in_another_realm"
"""Stands for the type of an event that the watcher may not see."""
_FOLLOWED: Final = 8
_EVENTS_READ: Final = 200
"""Events read per look. Of more it is only known that they happened."""

MaySee = Callable[[str], bool]
"""Tells whether a watcher has any right to a realm."""


@dataclass(slots=True)
class Flow:
    """One change in propagation. ``realm``: None if it belongs to no realm.

    ``applied_ms``: node id to milliseconds after publication, by Redis' clock; one look too many at most for
    a node that reported twice in between. ``safe_ms``: when it was safe.
    """

    sequence: int
    type: str
    realm: str | None
    client_id: str | None
    published_at: int
    applied_ms: dict[str, int] = field(default_factory=dict)
    safe_ms: int | None = None

    def note(self, view: RegistryView) -> None:
        """Note what the registry shows about the change."""
        for node in view.nodes:
            if (
                status_of(node, view, self.sequence) is NodeStatus.APPLIED
                and node.node_id not in self.applied_ms
            ):
                self.applied_ms[node.node_id] = max(0, node.renewed_at - self.published_at)
        if self.safe_ms is None and summarize(view, self.sequence).safe:
            last = max(self.applied_ms.values(), default=0)
            fenced = any(status_of(node, view, self.sequence) is NodeStatus.FENCED for node in view.nodes)
            self.safe_ms = view.now - self.published_at if fenced else last

    def describe(self, may_see: MaySee) -> dict[str, Any]:
        """Describe the change for a watcher: of another realm, only that something changed."""
        hidden = self.realm is not None and not may_see(self.realm)
        return {
            "sequence": self.sequence,
            "type": OTHER_REALM if hidden else self.type,
            "client_id": None if hidden else self.client_id,
            "applied_ms": dict(self.applied_ms),
            "safe": self.safe_ms is not None,
            "safe_ms": self.safe_ms,
        }


@dataclass(frozen=True, slots=True)
class Look:
    """Result of one look. ``touched``: fields of the projections that events changed since the last look;
    None if there were more events than are read."""

    fleet: dict[str, Any]
    flows: tuple[Flow, ...]
    touched: frozenset[str] | None

    def describe(self, may_see: MaySee) -> dict[str, Any]:
        """Describe the fleet (``view.describe``) with ``recent`` changes, for one watcher."""
        return {**self.fleet, "recent": [flow.describe(may_see) for flow in self.flows]}


class FleetWatch:
    """Reads the registry and the log for all watchers. Raises RedisUnavailableError and
    StoreUnavailableError; the next look then shows everything."""

    def __init__(self, registry: FleetRegistry, log: EventLog) -> None:
        self._registry = registry
        self._log = log
        self._flows: OrderedDict[int, Flow] = OrderedDict()
        self._seen: int | None = None

    async def look(self) -> Look:
        """Return the fleet's current state."""
        view = await self._registry.view()
        head = view.head
        touched: frozenset[str] | None = frozenset()
        if head is not None:
            touched = await self._follow(head.position.sequence)
        moving = [flow for flow in self._flows.values() if flow.safe_ms is None]
        if moving:
            views = await self._registry.views([flow.sequence for flow in moving])
            for flow, seen in zip(moving, views, strict=True):
                flow.note(seen)
        return Look(describe(view), tuple(self._flows.values()), touched)

    async def _follow(self, newest: int) -> frozenset[str] | None:
        """Follow the changes published since the last look, and return what they touched.

        The first look follows only the newest change, if it is still in progress: once all nodes have applied
        a change, the times are lost.
        """
        if self._seen is None:
            is_over = summarize(await self._registry.view(newest), newest).safe
            first = newest + 1 if is_over else newest
        else:
            first = self._seen + 1
        if newest == 0 or first > newest:
            self._seen = newest
            return frozenset()
        missed = newest - first + 1 > _EVENTS_READ
        first = max(first, newest - _EVENTS_READ + 1)
        events = await self._log.read(first, newest - first + 1)
        self._seen = newest
        await self._add_flows(events[-_FOLLOWED:])
        return None if missed else _touched(events)

    async def _add_flows(self, events: list[LoggedEvent]) -> None:
        views = await self._registry.views([event.sequence for event in events]) if events else []
        for event, view in zip(events, views, strict=True):
            if view.published_at is not None:
                self._flows[event.sequence] = _flow(event, view.published_at)
        while len(self._flows) > _FOLLOWED:
            self._flows.popitem(last=False)


def _flow(event: LoggedEvent, published: int) -> Flow:
    known = decode_event(event.payload)
    kind = str(getattr(known, "type", known.__struct_config__.tag))
    realm, client_id = getattr(known, "realm", None), getattr(known, "client_id", None)
    return Flow(event.sequence, kind, realm, client_id, published)


def _touched(events: Iterable[LoggedEvent]) -> frozenset[str]:
    return frozenset(field for event in events for field in event.touches)
