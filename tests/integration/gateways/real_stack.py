"""Real services for the real fronts: a local stack that trusts the fronts."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from keyturn.local.ports import ReservedPort
from tests.integration.gateways.fronts import Places
from tests.integration.gateways.raw_http import RawAnswer, request, send
from tests.testkit.certificates import Issued, issue
from tests.testkit.local_stack import Admin, RunningStack
from tests.testkit.ports import find_free_port

REALM: Final = "acme"
TOKEN: Final = f"/realms/{REALM}/protocol/openid-connect/token"
API: Final = "https://orders.example.com"
FAILURES: Final = 5
"""Failures of a client from one address, after which it is refused."""

PROXY: Final = "127.0.0.1/32"
"""The only address that the services trust. Callers have others."""


@dataclass(frozen=True)
class RealStack:
    """Services, and clients of them. ``certificate``: everything the client ``mtls`` has."""

    running: RunningStack
    admin: Admin
    secret: str
    certificate: Issued

    @property
    def credentials(self) -> str:
        """Return the credentials service's own ``host:port``, which the stack's gateway knows."""
        lines = (self.running.data / "gateway" / "nginx.conf").read_text().splitlines()
        return lines[lines.index("    upstream credentials {") + 1].split()[1].rstrip(";")

    def places(self, orders: str) -> Places:
        first, second = (url.removeprefix("http://") for url in self.running.node_urls)
        return Places(self.credentials, (first, second), orders, find_free_port(), find_free_port())

    @property
    def bearer(self) -> dict[str, str]:
        self.admin.log_in()
        return {"Authorization": self.admin.http.headers["Authorization"]}

    def faults(self, kind: str) -> float:
        """Return how often the credentials service met that fault of the chain."""
        text = httpx.get(f"http://{self.credentials}/metrics", trust_env=False).text
        line = f'keyturn_proxy_chain_faults_total{{fault="{kind}"}} '
        return next(float(each.removeprefix(line)) for each in text.splitlines() if each.startswith(line))


def started(directory: Path) -> Iterator[RealStack]:
    """Run a stack while the caller uses it."""
    settings = {
        "KEYTURN_TRUSTED_PROXIES": PROXY,
        "KEYTURN_CLIENT_CERT_PROXIES": PROXY,
        "KEYTURN_FAILURE_LIMIT_CLIENT": str(FAILURES),
    }
    running = RunningStack(directory / "fronts", nodes=2, **settings).start()
    try:
        admin = Admin(running, REALM)
        admin.make_realm()
        allowed = {"attributes": {"keyturn.audiences": f"{API},https://other"}}
        uuid = admin.make_client("reader", optionalClientScopes=["orders.read", "orders.write"], **allowed)
        certificate = issue(None)
        admin.make_client("mtls", **_with_certificate(certificate))
        with ReservedPort() as nobody:
            admin.make_client("dead", **_with_url(f"{nobody.base_url}/jwks"))
            yield RealStack(running, admin, admin.secret(uuid), certificate)
    finally:
        running.end()


def _with_certificate(certificate: Issued) -> dict[str, Any]:
    keys = json.dumps({"keys": [certificate.public_jwk]})
    attributes = {"x509.self.signed": "true", "use.jwks.string": "true", "jwks.string": keys}
    return {"clientAuthenticatorType": "client-x509", "attributes": attributes}


def _with_url(url: str) -> dict[str, Any]:
    attributes = {"use.jwks.url": "true", "jwks.url": url}
    return {"clientAuthenticatorType": "client-jwt", "attributes": attributes}


def form(**fields: str) -> bytes:
    return str(httpx.QueryParams({"grant_type": "client_credentials", **fields})).encode()


async def ask_token(port: int, fields: dict[str, str], *, source: str, **headers: str) -> RawAnswer:
    """Send a token request from that address."""
    typed = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    return await send(port, request("POST", TOKEN, typed, form(**fields)), source=source)
