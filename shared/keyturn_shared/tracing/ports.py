"""The tracer as the services see it. A service without traces has none, instead of one that does nothing."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from enum import Enum
from typing import Final, Protocol

CLOSE_SECONDS: Final = 2.0
"""Seconds for which a process that ends waits for its last spans to be exported."""

Attributes = Mapping[str, str | int | bool]
"""Attributes of a span. Nothing in them is secret: no secret, key or token, and no text of a caller that may
hold one."""


class Kind(Enum):
    """Kinds of spans, by their names in OpenTelemetry."""

    SERVER = "SERVER"
    INTERNAL = "INTERNAL"
    PRODUCER = "PRODUCER"
    CONSUMER = "CONSUMER"


class Span(Protocol):
    """A span that has begun."""

    @property
    def traceparent(self) -> str | None:
        """Its context (W3C Trace Context section 3.2); None if it is not sampled."""
        ...

    def note(self, attributes: Attributes) -> None:
        """Add attributes."""
        ...

    def fail(self, code: str) -> None:
        """Mark it as failed. ``code``: of the error, never its text."""
        ...

    def end(self) -> None:
        """End it now."""
        ...


class Tracer(Protocol):
    """Makes the spans of one process."""

    def now(self) -> int:
        """Return the time for the begin of spans, in ns since 1970-01-01 UTC."""
        ...

    def begin(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes,
        *,
        begun: int | None = None,
        parent: str | None = None,
        span_id: int | None = None,
    ) -> Span:
        """Begin a span. ``begun``: its time, by default now. ``parent``: a traceparent, by default the
        current span; a malformed one is ignored. ``span_id``: by default drawn at random."""
        ...

    def inside(self, span: Span) -> AbstractContextManager[None]:
        """Make the span the current one, for as long as the context lasts. It is not ended."""
        ...

    def has_current(self) -> bool:
        """Return whether there is a current span."""
        ...

    def exemplar(self) -> dict[str, str] | None:
        """Return the labels by which an exemplar names the current span's trace; None if it is not
        sampled."""
        ...
