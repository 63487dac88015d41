"""The fleet over time: which changes are on their way, and when each node had applied them."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from keyturn_credentials.fleet.view import describe
from keyturn_credentials.relay.event_log import EventLog, LoggedEvent
from keyturn_shared.errors import KeyturnError
from keyturn_shared.events import decode_event
from keyturn_shared.fleet.registry import FleetRegistry, RegistryView, Standing, judge, standing_of

LOOK_SECONDS: Final = 0.1
OTHER_REALM: Final = "change_in_another_realm"
"""Stands for the type of an event that the watcher may know nothing of."""
_FOLLOWED: Final = 8
_QUIET_LOOKS: Final = 20


@dataclass(slots=True)
class Flow:
    """One change on its way. ``applied_ms``: node id to milliseconds after publication, by Redis' clock; at
    most one look too much for a node that reported twice in between. ``safe_ms``: when it was safe."""

    sequence: int
    type: str
    client_id: str | None
    published_at: int
    applied_ms: dict[str, int] = field(default_factory=dict)
    safe_ms: int | None = None

    def note(self, view: RegistryView) -> None:
        """Take what this look at the registry shows of the change."""
        for node in view.nodes:
            if (
                standing_of(node, view, self.sequence) is Standing.APPLIED
                and node.node_id not in self.applied_ms
            ):
                self.applied_ms[node.node_id] = max(0, node.renewed_at - self.published_at)
        if self.safe_ms is None and judge(view, self.sequence).safe:
            last = max(self.applied_ms.values(), default=0)
            fenced = any(standing_of(node, view, self.sequence) is Standing.FENCED for node in view.nodes)
            self.safe_ms = view.now - self.published_at if fenced else last

    def describe(self) -> dict[str, Any]:
        return {
            "sequence": self.sequence,
            "type": self.type,
            "client_id": self.client_id,
            "applied_ms": self.applied_ms,
            "safe": self.safe_ms is not None,
            "safe_ms": self.safe_ms,
        }


class FleetWatch:
    """What the live fleet view shows, look by look. Each watcher has one of its own.

    ``may_see``: whether the watcher has any right to a realm; of others it sees only that something changed.
    """

    def __init__(
        self,
        registry: FleetRegistry,
        log: EventLog,
        *,
        may_see: Callable[[str], bool],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._registry = registry
        self._log = log
        self._may_see = may_see
        self._sleep = sleep
        self._flows: OrderedDict[int, Flow] = OrderedDict()
        self._seen: int | None = None

    async def looks(self) -> AsyncIterator[dict[str, Any]]:
        """The fleet's description (``view.describe``) with ``recent`` changes, whenever it changed, and every
        two seconds anyway. For ever; while Redis or the database do not answer, ``error`` says so."""
        shown: list[Any] = []
        quiet = 0
        while True:
            try:
                description = await self._look()
            except KeyturnError as error:
                description = {"error": error.code}
            essence = [
                description.get(name) for name in ("error", "head", "pending", "recent", "safe", "trusted")
            ]
            essence.append(
                [(node["id"], node["applied"], node["lease"]) for node in description.get("nodes", [])]
            )
            quiet += 1
            if essence != shown or quiet >= _QUIET_LOOKS:
                shown, quiet = essence, 0
                yield description
            await self._sleep(LOOK_SECONDS)

    async def _look(self) -> dict[str, Any]:
        view = await self._registry.view()
        head = view.head
        if head is not None:
            await self._follow(head.position.sequence)
        moving = [flow for flow in self._flows.values() if flow.safe_ms is None]
        if moving:
            views = await self._registry.views([flow.sequence for flow in moving])
            for flow, seen in zip(moving, views, strict=True):
                flow.note(seen)
        return {**describe(view), "recent": [flow.describe() for flow in self._flows.values()]}

    async def _follow(self, newest: int) -> None:
        """Begin to follow the changes published since the last look.

        At first that is the newest one, if it is still on its way: of one that all have applied nobody can
        tell any more when they did.
        """
        if self._seen is None:
            is_over = judge(await self._registry.view(newest), newest).safe
            first = newest + 1 if is_over else newest
        else:
            first = max(self._seen + 1, newest - _FOLLOWED + 1)
        self._seen = newest
        if newest == 0 or first > newest:
            return
        events = await self._log.read(first, newest - first + 1)
        views = await self._registry.views([event.sequence for event in events]) if events else []
        for event, view in zip(events, views, strict=True):
            published = view.published_at
            if published is None:
                continue
            self._flows[event.sequence] = self._flow(event, published)
        while len(self._flows) > _FOLLOWED:
            self._flows.popitem(last=False)

    def _flow(self, event: LoggedEvent, published: int) -> Flow:
        known = decode_event(event.payload)
        realm = getattr(known, "realm", None)
        if realm is not None and not self._may_see(realm):
            return Flow(event.sequence, OTHER_REALM, None, published)
        kind = str(getattr(known, "type", known.__struct_config__.tag))
        return Flow(event.sequence, kind, getattr(known, "client_id", None), published)
