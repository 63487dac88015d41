"""The protocol of all sinks: what is delivered, and how a sink fails."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

Notes = Mapping[str, int]
"""Facts that a sink keeps for its next delivery; nothing secret."""


class SinkError(Exception):
    """A delivery has failed, to be tried again. The text is a reason without anything secret in it."""


class SinkDisabledError(SinkError):
    """The receiver wants no more deliveries: the sink is left alone until the agent starts again."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A secret on its way to one sink. ``id``: the same whenever it is tried again, also after a restart.
    ``since``: when the agent first had it to deliver, in seconds of Unix time. ``notes``: of the delivery
    before."""

    id: str
    since: float
    secret: str = field(repr=False)
    notes: Notes = field(default_factory=dict)


class Sink(Protocol):
    """A place that the secret is delivered to. ``label``: its name in logs and ``/health``. ``settings``: in
    any stable form; when they change, the secret is delivered anew. ``patience``: seconds after which a
    failing delivery is given up, None for never."""

    label: str
    settings: bytes
    patience: float | None

    async def deliver(self, delivery: Delivery) -> Notes:
        """Deliver once. Raises SinkError, OSError and errors of httpx."""
