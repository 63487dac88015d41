"""A local stack whose processes export traces to a collector, and one change in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.testkit.local_stack import Admin, RunningStack, eventually
from tests.testkit.otlp import Collector, ReceivedSpan

NODES: Final = 3
CALLERS_TRACE: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLERS_SPAN: Final = "00f067aa0ba902b7"
TRACEPARENT: Final = f"00-{CALLERS_TRACE}-{CALLERS_SPAN}-01"
"""The example of W3C Trace Context section 3.2."""
_SPANS_OF_A_CHANGE: Final = 4 + NODES
"""The call, its transaction, the publication, the wait, and each node."""


def traced_stack(directory: Path, collector: Collector) -> RunningStack:
    """Return a stack of one credentials process and three nodes that export soon."""
    return RunningStack(
        directory,
        nodes=NODES,
        KEYTURN_TRACING="true",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_BSP_SCHEDULE_DELAY="100",
        OTEL_EXPORTER_OTLP_TIMEOUT="1",
    )


@dataclass
class Change:
    """The regeneration of a client's secret. ``spans``: of its trace."""

    client_uuid: str
    former: str
    secret: str
    spans: list[ReceivedSpan]

    def named(self, name: str) -> list[ReceivedSpan]:
        return [span for span in self.spans if span.name == name]


def make_change(stack: RunningStack, collector: Collector) -> Change:
    """Regenerate a client's secret in a trace that the caller began, and wait for the export of all of it."""
    admin = Admin(stack, "acme")
    admin.make_realm()
    uuid = admin.make_client("billing")
    former = admin.secret(uuid)
    admin.http.headers["traceparent"] = TRACEPARENT
    secret = str(admin.call("POST", f"/clients/{uuid}/client-secret").json()["value"])
    del admin.http.headers["traceparent"]

    def exported() -> list[ReceivedSpan]:
        spans = [span for span in collector.spans() if span.trace == CALLERS_TRACE]
        return spans if len(spans) >= _SPANS_OF_A_CHANGE else []

    return Change(uuid, former, secret, eventually(exported))
