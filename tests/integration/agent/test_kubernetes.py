"""A Secret of Kubernetes over TLS, with an API server that accepts nothing but a correct apply."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from keyturn.agent.sinks import kubernetes
from keyturn.agent.sinks.kubernetes import KubernetesSink
from keyturn.agent.sinks.settings import KubernetesSettings
from tests.integration.agent.cluster import Cluster, service_account
from tests.integration.agent.runs import CLIENT, FIRST, SECOND, Run
from tests.testkit.http_receiver import Answer
from tests.testkit.private_ca import private_ca


class Scene:
    def __init__(self, cluster: Cluster, directory: Path, authority: Path) -> None:
        self.cluster = cluster
        self.directory = directory
        self.authority = authority
        self.token_file = service_account(directory, cluster)

    def run(self, environment: dict[str, str] | None = None, **changes: Any) -> Run:
        settings = {
            "name": "orders-client",
            "namespace": "shop",
            "address": self.cluster.url,
            "token_file": str(self.token_file),
            "ca_file": str(self.authority),
            **changes,
        }
        sink = KubernetesSink(KubernetesSettings(**settings), CLIENT, environment or {})
        return Run(sink, self.directory)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    authority, context = private_ca(tmp_path / "tls")
    with Cluster(context) as cluster:
        yield Scene(cluster, tmp_path, authority)


async def test_a_secret_is_applied_once_for_each_change(scene: Scene) -> None:
    run = scene.run(data={"CLIENT_SECRET": "secret", "CLIENT_ID": "client_id", "ISSUER": "issuer"})
    for _ in range(3):
        assert (await run.look(after=1))["current"] is True
    wanted = {"CLIENT_SECRET": FIRST, "CLIENT_ID": "orders", "ISSUER": CLIENT.issuer}
    assert scene.cluster.secrets == {"shop/orders-client": wanted}
    run.secret.use(SECOND)
    await run.look(after=1)
    assert scene.cluster.secrets["shop/orders-client"] == wanted | {"CLIENT_SECRET": SECOND}
    assert len(scene.cluster.requests) == 2


async def test_the_token_and_the_authorities_are_read_each_time(scene: Scene) -> None:
    run = scene.run()
    scene.cluster.token = "the next token"
    assert (await run.look())["last_error"] == "the API server (Unauthorized) answers 401"
    scene.token_file.write_text("the next token")
    assert (await run.look(after=1))["current"] is True
    trusted = scene.authority.read_bytes()
    scene.authority.unlink()
    run.secret.use(SECOND)
    told = f"ca_file {scene.authority} cannot be used: No such file or directory"
    assert (await run.look())["last_error"] == told
    scene.authority.write_bytes(trusted)
    assert (await run.look(after=1))["current"] is True
    scene.token_file.unlink()
    run.secret.use(FIRST)
    assert "token cannot be read: No such file" in str((await run.look())["last_error"])


async def test_a_pod_finds_its_api_server_and_its_namespace(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubernetes, "SERVICE_ACCOUNT", str(scene.directory))
    (scene.directory / "namespace").write_text("shop")
    port = scene.cluster.url.rpartition(":")[2]
    environment = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": port}
    assert (await scene.run(environment, address=None, namespace=None).look())["current"] is True
    assert scene.cluster.secrets == {"shop/orders-client": {"client-secret": FIRST}}
    (scene.directory / "namespace").write_text("../kube-system")
    run = scene.run(environment, address=None, namespace=None, name="other")
    assert "has no name of a namespace" in str((await run.look())["last_error"])
    outside = scene.run(address=None)
    outside.secret.use(SECOND)
    assert "KUBERNETES_SERVICE_HOST" in str((await outside.look())["last_error"])


async def test_a_server_with_another_authority_gets_neither_token_nor_secret(
    scene: Scene, tmp_path: Path
) -> None:
    other, _ = private_ca(tmp_path / "other")
    status = await scene.run(ca_file=str(other)).look()
    assert (status["current"], status["last_error"]) == (False, "ConnectError")
    assert scene.cluster.requests == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(403, {"reason": "Forbidden"}), "the API server (Forbidden) answers 403"),
        (Answer(422, {"reason": f"Invalid: {FIRST}"}), "the API server answers 422"),
        (Answer(409, [FIRST]), "the API server answers 409"),
        (Answer(503), "the API server answers 503"),
        (Answer(500, b"[" * 100_000), "the API server answers 500"),
        (
            Answer(307, None, {"Location": "/elsewhere"}),
            "the API server answers 307: redirects are not followed",
        ),
    ],
)
async def test_a_refusal_is_tried_again_and_its_text_is_not_repeated(
    scene: Scene, caplog: pytest.LogCaptureFixture, answer: Answer, told: str
) -> None:
    run = scene.run()
    scene.cluster.first = [answer] * 3
    with caplog.at_level(logging.DEBUG):
        for pause in (0, 1, 2):
            assert (await run.look(after=pause))["last_error"] == told
            await run.look(after=0.1)
    assert len(scene.cluster.requests) == 3, "at growing intervals"
    status = await run.look(after=4)
    assert status == {"current": True, "last_success": int(run.time), "last_error": told}
    assert FIRST not in caplog.text
    assert scene.cluster.token not in caplog.text


async def test_a_server_that_does_not_answer_is_given_up_in_time(scene: Scene) -> None:
    run = scene.run()
    run.attempt_seconds = 0.3
    run.restart()
    scene.cluster.stalled = True
    assert (await run.look())["last_error"] == "no answer in time"
    scene.cluster.stalled = False
    run.attempt_seconds = 10
    run.restart()
    assert (await run.look(after=1))["current"] is True


async def test_it_is_delivered_again_after_a_restart_only_if_it_must_be(scene: Scene) -> None:
    run = scene.run()
    await run.look()
    delivered_at = int(run.time)
    run.restart()
    status = await run.look(after=100)
    assert status == {"current": True, "last_success": delivered_at, "last_error": None}
    assert len(scene.cluster.requests) == 1
    changed = scene.run(data={"password": "secret"})
    await changed.look()
    assert scene.cluster.secrets["shop/orders-client"] == {"password": FIRST}, "the settings have changed"
    scene.cluster.first = [Answer(503)]
    changed.secret.use(SECOND)
    await changed.look()
    changed.restart()
    await changed.look()
    assert scene.cluster.secrets["shop/orders-client"] == {"password": SECOND}, "taken while it was down"
    assert FIRST not in changed.record.read_text()
    assert SECOND not in changed.record.read_text()
