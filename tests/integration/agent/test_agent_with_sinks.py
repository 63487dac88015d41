"""The agent as a process with every sink of the page, killed while some of them are down."""

import base64
import os
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.integration.agent.cluster import Cluster, service_account
from tests.integration.agent.issuer import Issuer
from tests.integration.agent.kv import Vault
from tests.integration.agent.subscriber import Subscriber
from tests.testkit.http_receiver import Answer
from tests.testkit.private_ca import private_ca
from tests.testkit.processes import Processes, RunningProcess
from tests.testkit.tools import REPOSITORY
from tests.testkit.waiting import wait_until_blocking

PAGE: Final = (REPOSITORY / "docs" / "agent.md").read_text()
_FILES: Final = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES: Final = [_FILES[0], *(each for each in _FILES if each.startswith("[["))]
"""A file with a secret, and its sinks; other files of the page have keys."""
FIRST, SECOND = "the-first-secret-of-orders", "the-second-secret-of-orders"
LABELS: Final = ["file", "kubernetes:shop/orders-client", "vault:team-shop/kv/shop/orders", "webhook"]


class Scene:
    """Everything that the page's examples name, at other addresses and below another directory."""

    def __init__(self, directory: Path, running: ExitStack) -> None:
        self.root = directory / "root"
        self.root.mkdir()
        authority, context = private_ca(directory / "tls")
        self.issuer = running.enter_context(Issuer(FIRST))
        self.cluster = running.enter_context(Cluster(context))
        self.vault = running.enter_context(Vault("kv/shop/orders", context))
        self.subscriber = running.enter_context(Subscriber(directory, tls=context))
        self.vault.namespace = "team-shop"
        self.vault.logins["approle"] = {"role_id": "orders", "secret_id": "the secret id"}
        account = self._place("/var/run/secrets/kubernetes.io/serviceaccount")
        account.mkdir(parents=True)
        service_account(account, self.cluster)
        shutil.copy(authority, account / "ca.crt")
        for each in ("/etc/orders", "/etc/keyturn-agent", "/var/lib/keyturn-agent", "/run/orders"):
            self._place(each).mkdir(parents=True)
        self._place("/run/keyturn-agent").mkdir()
        self._place("/etc/orders/secret").write_text(FIRST)
        self._place("/etc/keyturn-agent/secret-id").write_text("the secret id")
        self._place("/etc/keyturn-agent/whsec").write_text(self.subscriber.signing)
        self._place("/etc/keyturn-agent/shop.jwk").write_text(self.subscriber.key.export_public())
        for name in ("vault-ca.pem", "shop-ca.pem"):
            shutil.copy(authority, self._place(f"/etc/keyturn-agent/{name}"))
        self.env_file = self._place("/run/orders/orders.env")
        self.pid_file = self._place("/run/orders/orders.pid")
        self.reloaded = directory / "reloaded"
        self.config = self._place("/etc/keyturn-agent/orders.toml")
        self.config.write_text(self._moved("\n".join(EXAMPLES)))

    def client(self) -> httpx.Client:
        transport = httpx.HTTPTransport(uds=str(self._place("/run/keyturn-agent/orders.sock")))
        return httpx.Client(transport=transport, timeout=30)

    def sinks(self) -> dict[str, Any]:
        """Return the sinks of ``/health``, which is 200; none before the agent listens."""
        try:
            with self.client() as http:
                answer = http.get("http://agent/health")
        except httpx.TransportError:
            return {}
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()["sinks"]
        return {next(label for label in LABELS if name.startswith(label)): found[name] for name in found}

    def current(self) -> set[str]:
        return {label for label, sink in self.sinks().items() if sink["current"]}

    def _place(self, path: str) -> Path:
        return Path(f"{self.root}{path}")

    def _moved(self, text: str) -> str:
        text = re.sub(r'"(/(?:etc|var|run)/[^"]*)"', lambda found: f'"{self._place(found[1])}"', text)
        for named, actual in (
            ("https://id.example.com/realms/acme", self.issuer.issuer),
            ("https://10.96.0.1", self.cluster.url),
            ("https://vault.example.com:8200", self.vault.url),
            ("https://shop.example.com/hooks/secrets", f"{self.subscriber.url}/hooks/secrets?for=orders"),
        ):
            assert named in text
            text = text.replace(named, actual)
        for named, actual in (
            ('owner = "orders"', f'owner = "{os.getuid()}"'),
            ('group = "orders"', f'group = "{os.getgid()}"'),
            ('["systemctl", "reload", "proxy"]', f'["touch", "{self.reloaded}"]'),
        ):
            assert text.count(named) == 1
            text = text.replace(named, actual)
        return text


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ExitStack() as running:
        yield Scene(tmp_path, running)


def start(scene: Scene, processes: Processes) -> RunningProcess:
    return processes.start([sys.executable, "-m", "keyturn", "agent", scene.config])


def test_every_kind_of_sink_has_one_example() -> None:
    kinds = [kind for each in EXAMPLES for kind in re.findall(r"^\[\[(\w+)\]\]", each, re.MULTILINE)]
    assert kinds == ["files", "kubernetes", "vault", "webhooks"]


_PROGRAM = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests may ignore it
pathlib.Path(sys.argv[1] + ".new").write_text(f"{os.getpid()}\\n")
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(600)
"""


def test_each_sink_gets_each_secret_though_others_are_down_and_the_agent_is_killed(
    scene: Scene, processes: Processes
) -> None:
    program = processes.start([sys.executable, "-c", _PROGRAM, str(scene.pid_file)])
    wait_until_blocking(scene.pid_file.exists)
    scene.cluster.stalled = True
    up, scene.subscriber.rules = scene.subscriber.rules, lambda _: Answer(503)
    agent = start(scene, processes)
    wait_until_blocking(lambda: scene.current() >= {"file", LABELS[2]} and scene.subscriber.requests)
    assert scene.vault.versions == [{"client_secret": FIRST, "client_id": "orders"}]
    assert scene.env_file.read_text() == f'ORDERS_SECRET="{FIRST}"\n'
    assert scene.reloaded.exists()
    assert program.wait(60) == -signal.SIGHUP
    wait_until_blocking(lambda: scene.sinks()["webhook"]["last_error"] == "the receiver answers 503")
    assert not scene.sinks()[LABELS[1]]["current"]
    agent.kill()
    assert scene.subscriber.events == {}

    scene.cluster.stalled = False
    agent = start(scene, processes)
    wait_until_blocking(lambda: scene.current() == set(LABELS) - {"webhook"})
    assert scene.cluster.secrets["shop/orders-client"]["CLIENT_SECRET"] == FIRST
    scene.issuer.accepted.append(SECOND)
    wait_until_blocking(lambda: scene.env_file.read_text() == f'ORDERS_SECRET="{SECOND}"\n')
    wait_until_blocking(lambda: scene.cluster.secrets["shop/orders-client"]["CLIENT_SECRET"] == SECOND)
    wait_until_blocking(lambda: len(scene.vault.versions) == 2)
    wait_until_blocking(lambda: scene.current() == set(LABELS) - {"webhook"})
    agent.kill()

    applied, scene.subscriber.rules = len(scene.cluster.requests), up
    agent = start(scene, processes)
    wait_until_blocking(lambda: scene.current() == set(LABELS))
    assert [event["secret"] for event in scene.subscriber.events.values()] == [SECOND]
    assert (len(scene.cluster.requests), len(scene.vault.versions)) == (applied, 2), "they have it already"
    assert [each["last_error"] for each in scene.sinks().values()] == [None] * 4

    told = agent.output() + Path(f"/proc/{agent.pid}/cmdline").read_text()
    told += Path(f"/proc/{agent.pid}/environ").read_text()
    assert agent.stop() == 0
    state = "var/lib/keyturn-agent/orders.json"
    assert set(_files_with(scene.root, FIRST)) == {"etc/orders/secret", state}
    assert set(_files_with(scene.root, SECOND)) == {"run/orders/orders.env", state}
    logs = "".join(log.read_text() for log in agent.log.parent.glob("*.log"))
    for secret in (FIRST, SECOND, scene.subscriber.signing, scene.cluster.token, "the secret id", "hvs."):
        assert secret not in told + logs
        assert base64.b64encode(secret.encode()).decode()[:20] not in told + logs
    assert "the receiver answers 503" in logs


def test_a_sink_that_hangs_does_not_keep_the_agent_from_ending(scene: Scene, processes: Processes) -> None:
    scene.cluster.stalled = scene.vault.stalled = scene.subscriber.stalled = True
    agent = start(scene, processes)
    wait_until_blocking(lambda: scene.cluster.requests and scene.vault.requests and scene.subscriber.requests)
    wait_until_blocking(scene.sinks)
    agent.signal(signal.SIGTERM)
    assert agent.wait(60) == 0
    assert "does not have the secret in use" not in agent.output(), "no attempt came to its own limit"


def _files_with(root: Path, secret: str) -> Iterator[str]:
    needles = (secret.encode(), base64.b64encode(secret.encode())[:20])
    for path in root.rglob("*"):
        if path.is_file() and any(each in path.read_bytes() for each in needles):
            yield str(path.relative_to(root))
