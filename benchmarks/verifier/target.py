"""A server under load: its address, a node as a separate process, and requests as raw octets."""

import os
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from keyturn_shared.jose.signing import SigningKey
from tests.testkit.filled_redis import FLEET_KEY
from tests.testkit.nodes import ASSERTION_TYPE, good_claims

SERVER_CORE, LOAD_CORE = "0", "1"


@dataclass(frozen=True)
class Target:
    """A server and its token endpoint."""

    name: str
    port: int
    path: str
    issuer: str

    @classmethod
    def of_keyturn(cls, port: int, realm: str = "acme") -> Self:
        issuer = f"http://127.0.0.1:{port}/realms/{realm}"
        return cls("keyturn", port, f"/realms/{realm}/protocol/openid-connect/token", issuer)

    @classmethod
    def of_oidc_provider(cls, port: int) -> Self:
        return cls("oidc-provider", port, "/token", f"http://127.0.0.1:{port}")


def start_node(
    redis_url: str, port: int, log: Path, *, core: str | None = None, **settings: str
) -> subprocess.Popen[bytes]:
    """Start a verifier node, on one core if given (with ``taskset``). ``settings``: ``KEYTURN_*``."""
    environment = os.environ | {
        "KEYTURN_REDIS_URL": redis_url,
        "KEYTURN_FLEET_KEYS": FLEET_KEY,
        "KEYTURN_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "KEYTURN_HOST": "127.0.0.1",
        "KEYTURN_PORT": str(port),
        **settings,
    }
    pinned = [] if core is None else ["taskset", "-c", core]
    with log.open("wb") as out:
        return subprocess.Popen(
            [*pinned, sys.executable, "-m", "keyturn", "verifier"], env=environment, stdout=out, stderr=out
        )


def until_answers(url: str, seconds: float = 20.0) -> None:
    """Wait for a successful answer."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def form_request(target: Target, body: str, headers: str = "") -> bytes:
    """Build a request of its token endpoint. ``headers``: whole lines."""
    return (
        f"POST {target.path} HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\n{headers}"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def assertion_body(target: Target, key: SigningKey, client_id: str) -> str:
    """Build a form with a valid unused assertion (private_key_jwt)."""
    kind = ASSERTION_TYPE.replace(":", "%3A")
    signed = key.sign_compact(key.header_segment(), good_claims(client_id, target.issuer))
    return f"grant_type=client_credentials&client_assertion_type={kind}&client_assertion={signed}"
