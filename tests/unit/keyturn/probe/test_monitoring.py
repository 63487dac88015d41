"""``/health`` tells of rounds that are completed, whatever their result."""

import json
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from keyturn.admin_cli.exits import CommandError
from keyturn.probe.metrics import ProbeMetrics
from keyturn.probe.monitoring import Health, MonitoringPages, parse_address


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def ask(pages: MonitoringPages, method: str, path: str) -> tuple[int, bytes]:
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("no body is read")

    async def send(message: Any) -> None:
        sent.append(message)

    await pages({"type": "http", "method": method, "path": path}, receive, send)
    return sent[0]["status"], sent[1]["body"]


def pages(health: Health) -> MonitoringPages:
    registry = CollectorRegistry()
    ProbeMetrics(registry)
    return MonitoringPages(registry, health)


async def test_health_is_503_once_no_round_was_completed_for_too_long() -> None:
    clock = Clock()
    health = Health(60.0, clock)
    shown = pages(health)
    assert (await ask(shown, "GET", "/health"))[0] == 200
    clock.now = 61.0
    status, body = await ask(shown, "GET", "/health")
    assert (status, json.loads(body)["status"]) == (503, "stuck")
    health.completed("broken")
    status, body = await ask(shown, "GET", "/health")
    assert (status, json.loads(body)["last_result"]) == (200, "broken")


async def test_metrics_are_served_and_nothing_else() -> None:
    shown = pages(Health(60.0, Clock()))
    status, body = await ask(shown, "GET", "/metrics")
    assert status == 200
    assert b"keyturn_probe_promise_held NaN" in body
    assert await ask(shown, "HEAD", "/metrics") == (200, b"")
    assert (await ask(shown, "POST", "/metrics"))[0] == 405
    assert (await ask(shown, "GET", "/"))[0] == 404


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:9100", ("127.0.0.1", 9100)), ("[::]:9100", ("::", 9100)), ("localhost:0", ("localhost", 0))],
)
def test_an_address_is_host_and_port(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "9100", ":9100", "host", "host:", "host:x", "host:70000", "host:-1"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="HOST:PORT"):
        parse_address(text)
