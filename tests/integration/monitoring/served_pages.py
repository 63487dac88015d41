"""Pages of metrics of every kind of process, after traffic that makes their series appear."""

import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from keyturn_shared.signed_log.keys import LogSigningKeys
from tests.testkit.local_stack import Admin, RunningStack, ask_token, eventually, token_url
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes

_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass
class Served:
    """All that is served. ``families``: type, help and processes, by name without ``_total``. ``labels``: by
    the name of a sample. ``values``: of each label of a sample."""

    families: dict[str, tuple[str, str]] = field(default_factory=dict)
    processes: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    labels: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    values: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    def read(self, process: str, page: str) -> None:
        for family in text_string_to_metric_families(page):
            if family.name.endswith("_created"):
                continue
            self.families[family.name] = (family.type, family.documentation)
            self.processes[family.name].add(process)
            for sample in family.samples:
                self.labels[sample.name] |= sample.labels.keys()
                for label, value in sample.labels.items():
                    self.values[sample.name, label].add(value)


def start_stack(directory: Path) -> RunningStack:
    """Start a stack that soon refuses callers who fail, and whose nodes ask another server, which is away."""
    return RunningStack(
        directory,
        KEYTURN_FAILURE_LIMIT_CLIENT="3",
        KEYTURN_SHADOW_URL=f"http://127.0.0.1:{find_free_port()}",
        KEYTURN_SHADOW_CLIENT_ID="shadow",
        KEYTURN_SHADOW_CLIENT_SECRET="shadow",
        KEYTURN_SHADOW_SHARE="1",
    ).start()


def start_others(stack: RunningStack, processes: Processes) -> Mapping[str, str]:
    """Start what a local stack has not: a fetcher, and a node with two workers. Return their addresses."""
    secrets = dict(line.split("=", 1) for line in (stack.data / "secrets.env").read_text().splitlines()[1:])
    log_keys = LogSigningKeys.from_text(secrets["KEYTURN_LOG_SIGNING_KEYS"])
    common = {
        "KEYTURN_REDIS_URL": stack.local["redis_url"],
        "KEYTURN_FLEET_KEYS": secrets["KEYTURN_FLEET_KEYS"],
        "KEYTURN_LOG_VERIFICATION_KEYS": log_keys.public_keys,
        "KEYTURN_PUBLIC_URL": stack.base_url,
        "KEYTURN_JWKS_ALLOWED_NETWORKS": "127.0.0.0/8",
    }
    urls = {}
    for name, command in {"workers": ["verifier", "--workers", "2"], "fetcher": ["fetcher"]}.items():
        port = str(find_free_port())
        arguments = [sys.executable, "-m", "keyturn", *command]
        processes.start(arguments, environment={**common, "KEYTURN_PORT": port, "KEYTURN_NODE_ID": name})
        urls[name] = f"http://127.0.0.1:{port}"
    for url in urls.values():
        eventually(partial(_is_ready, url))
    return urls


def _is_ready(url: str) -> bool:
    return httpx.get(f"{url}/health/ready", trust_env=False).status_code == 200


def make_traffic(stack: RunningStack, own_url: str) -> None:
    """Send requests of every kind, accepted and refused. ``own_url``: of the credentials service."""
    admin = Admin(stack, "acme")
    admin.make_realm()
    secret = admin.secret(admin.make_client("by-secret"))
    keys = {"use.jwks.url": "true", "jwks.url": f"{own_url}/health/live"}  # not a key set
    admin.make_client("by-jwt", clientAuthenticatorType="client-jwt", attributes=keys)
    with httpx.Client(trust_env=False, timeout=30) as http:
        for node in stack.node_urls:
            _ask(http, node, secret)
        for node in stack.node_urls:
            for _ in range(5):
                ask_token(node, "acme", "by-secret", "wrong")
            ask_token(node, "acme", "by-secret", secret)
        for _ in range(5):
            ask_token(stack.base_url, "master", "keyturn-admin", "wrong")
        http.get(f"{own_url}/metrics", headers={"X-Forwarded-For": "nonsense"})
        # A body that is too long, and a method that no endpoint has.
        http.post(f"{own_url}/realms/acme/protocol/openid-connect/token", content=b"a" * 100_000)


def _ask(http: httpx.Client, node: str, secret: str) -> None:
    """Send the requests that are accepted first: after a few failures, this address gets no answer."""
    token = ask_token(node, "acme", "by-secret", secret).json()["access_token"]
    form, auth = {"token": token}, ("by-secret", secret)
    realm = f"{node}/realms/acme"
    for _ in range(2):
        http.post(f"{realm}/protocol/openid-connect/token/introspect", data=form, auth=auth)
    http.get(f"{realm}/forward-auth", headers={"Authorization": f"Bearer {token}"})
    http.get(f"{realm}/forward-auth", headers={"Authorization": "Bearer none"})
    http.post(f"{realm}/verify", json={"tokens": [token, "none"]}, auth=auth)
    http.get(f"{realm}/protocol/openid-connect/certs")
    http.put(f"{realm}/protocol/openid-connect/token")
    claims = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImEifQ.eyJzdWIiOiJieS1qd3QiLCJpc3MiOiJieS1qd3QifQ.AAAA"
    assertion = {"client_assertion_type": _ASSERTION, "client_assertion": claims}
    http.post(token_url(node, "acme"), data={"grant_type": "client_credentials", **assertion})
