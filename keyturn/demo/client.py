"""The demo's client: a separate process that holds its keys, serves its JWKS and requests tokens.

It reads one JSON object per line from standard input, answers with one per line on standard output, and ends
when its standard input does. Its private keys never leave it.
"""

import json
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from keyturn_shared.jose.jwk import VerificationKey

ASSERTION_SECONDS = 30
RESPONSE_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class ClientKey:
    """A P-256 key; its kid is its RFC 7638 thumbprint."""

    private: ec.EllipticCurvePrivateKey
    public_jwk: dict[str, object]
    kid: str

    @classmethod
    def generate(cls) -> "ClientKey":
        private = ec.generate_private_key(ec.SECP256R1())
        public = VerificationKey.from_public_key(private.public_key(), alg="ES256")
        return cls(private, public.public_jwk, public.thumbprint)


class DemoClient:
    """Two keys, some of them published, either of which can be used."""

    def __init__(self, client_id: str, http: httpx.Client) -> None:
        self._client_id = client_id
        self._http = http
        self._keys = {"first": ClientKey.generate(), "second": ClientKey.generate()}
        self._published = ["first"]

    def jwks(self) -> dict[str, Any]:
        """Return the content of the JWKS URL."""
        return {"keys": [self._keys[name].public_jwk for name in self._published]}

    def describe(self) -> dict[str, str]:
        return {name: key.kid for name, key in self._keys.items()}

    def publish(self, names: list[str]) -> dict[str, Any]:
        self._published = [name for name in names if name in self._keys]
        return self.jwks()

    def token(self, url: str, audience: str, key: str) -> dict[str, Any]:
        """Request a token from a node with ``private_key_jwt`` (RFC 7523). Return its answer and the time in
        ms."""
        begun = time.perf_counter()
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self._assertion(audience, self._keys[key]),
        }
        try:
            answer = self._http.post(url, data=form)
            body = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            return {"status": 0, "error": repr(error), "ms": 0.0}
        elapsed = (time.perf_counter() - begun) * 1000
        return {"status": answer.status_code, "error": body.get("error"), "ms": round(elapsed, 1)}

    def _assertion(self, audience: str, key: ClientKey) -> str:
        now = int(time.time())
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": audience,
            "jti": str(uuid.uuid4()),
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        }
        return jwt.encode(claims, key.private, algorithm="ES256", headers={"kid": key.kid})


def serve_jwks(jwks: Callable[[], dict[str, Any]]) -> str:
    """Serve the key set on a free loopback port. Return its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(jwks()).encode()
            self.send_response(200 if self.path == "/k_jwks" else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name http.server uses
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True, name="jwks").start()
    return f"http://127.0.0.1:{server.server_address[1]}/k_jwks"


def main() -> None:
    with httpx.Client(timeout=RESPONSE_TIMEOUT_SECONDS) as http:
        client = DemoClient(sys.argv[1], http)
        _say({"jwks_url": serve_jwks(client.jwks), "keys": client.describe()})
        commands: dict[str, Callable[..., dict[str, Any]]] = {
            "token": client.token,
            "publish": client.publish,
        }
        for line in sys.stdin:
            order = json.loads(line)
            _say(commands[order.pop("do")](**order))


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
