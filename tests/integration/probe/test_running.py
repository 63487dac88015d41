"""A prober that goes on: through renewed tokens and an outage of Redis, until it is told to stop."""

import json
import signal
import subprocess
from typing import Any

import httpx
import pytest

from tests.integration.probe.scene import Scene
from tests.testkit.ports import find_free_port


def _next(process: subprocess.Popen[str], *results: str) -> dict[str, Any]:
    """Return the next round with one of these results; a round that is broken is none."""
    assert process.stdout is not None
    for line in process.stdout:
        found: dict[str, Any] = json.loads(line)
        assert found["result"] != "broken", found
        if found["result"] in results:
            return found
    raise AssertionError("it ended")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_goes_on_with_new_tokens_shows_metrics_and_ends_by_a_signal(
    scene: Scene, number: signal.Signals
) -> None:
    port = find_free_port()
    words = [*scene.options(scene.node.url), "--json", "--interval", "1"]
    with scene.program.following(*words, "--metrics-address", f"127.0.0.1:{port}") as process:
        for _ in range(3):
            assert _next(process, "held", "unreachable", "failed")["result"] == "held"
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as http:
            page = http.get("/metrics").text
            health = http.get("/health")
        assert "keyturn_probe_promise_held 1.0" in page
        assert 'keyturn_probe_nodes{state="reached"} 1.0' in page
        assert (health.status_code, health.json()["last_result"]) == (200, "held")
        process.send_signal(number)
        assert process.wait(60) == 0
    scene.require_secrecy(page)


def test_without_redis_calls_are_unconfirmed_and_nothing_is_called_broken(own_scene: Scene) -> None:
    words = [*own_scene.options(own_scene.node.url), "--json", "--interval", "1", "--wait", "1"]
    with own_scene.program.following(*words) as process:
        _next(process, "held")
        own_scene.surroundings.redis.kill()
        found = _next(process, "unconfirmed")
        assert any("Redis does not respond" in finding["detail"] for finding in found["findings"])
        own_scene.surroundings.redis.start()
        _next(process, "held")


def test_without_the_credentials_service_it_waits_for_it(own_scene: Scene) -> None:
    words = [*own_scene.options(own_scene.node.url), "--json", "--interval", "1"]
    (credentials,) = own_scene.surroundings.instances
    with own_scene.program.following(*words) as process:
        _next(process, "held")
        credentials.stop()
        assert _next(process, "unreachable")["nodes"]["reached"] == []
        credentials.start()
        _next(process, "held")
