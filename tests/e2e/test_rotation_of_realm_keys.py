"""A realm's keys rotate under load: every token issued before, during and after it verifies everywhere."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
from jwt import PyJWKSet

from tests.testkit.local_stack import Admin, RunningStack, token_url

SECONDS = 1.0
CALLERS = 2


@dataclass
class ResourceServer:
    """Verifies access tokens with a JWK Set that it fetched once and caches for as long as allowed. An
    unknown kid causes no fetch, so a key must be published before it is used."""

    keys: PyJWKSet
    issuer: str
    seen: set[str] = field(default_factory=set)

    @classmethod
    def fetch(cls, base_url: str, realm: str) -> "ResourceServer":
        issuer = f"{base_url}/realms/{realm}"
        answer = httpx.get(f"{issuer}/protocol/openid-connect/certs", trust_env=False)
        assert answer.headers["cache-control"] == "public, max-age=60"
        return cls(PyJWKSet.from_dict(answer.json()), issuer)

    def verify(self, token: str) -> str:
        """Return the kid of the signing key. Raises PyJWT's errors."""
        kid = jwt.get_unverified_header(token)["kid"]
        jwt.decode(token, self.keys[kid], algorithms=["ES256"], audience=self.issuer, issuer=self.issuer)
        self.seen.add(kid)
        return str(kid)


class Issuing:
    """Clients that request tokens from all nodes in turn, until told to stop."""

    def __init__(self, stack: RunningStack, realm: str, secret: str) -> None:
        self.tokens: list[str] = []
        self.failures: list[Any] = []
        self._urls = [token_url(node, realm) for node in stack.node_urls]
        self._credentials = ("rotated", secret)
        self._ended = threading.Event()

    def run(self) -> None:
        with httpx.Client(trust_env=False, timeout=20) as http:
            while not self._ended.is_set():
                for url in self._urls:
                    form = {"grant_type": "client_credentials"}
                    answer = http.post(url, data=form, auth=self._credentials)
                    if answer.status_code == 200:
                        self.tokens.append(answer.json()["access_token"])
                    else:
                        self.failures.append((answer.status_code, answer.text))
                time.sleep(0.005)

    def end(self) -> None:
        self._ended.set()


def test_no_request_fails_while_a_realms_keys_rotate(stack: RunningStack) -> None:
    admin = Admin(stack, "rotation")
    admin.make_realm()
    secret = admin.secret(admin.make_client("rotated"))
    before = ResourceServer.fetch(stack.base_url, "rotation")
    states = {key["state"]: key["kid"] for key in admin.call("GET", "/keys").json()["keys"]}
    assert states["next"] in {key.key_id for key in before.keys.keys}, "published before it is used"

    issuing = Issuing(stack, "rotation", secret)
    with ThreadPoolExecutor(CALLERS) as pool:
        running = [pool.submit(issuing.run) for _ in range(CALLERS)]
        time.sleep(SECONDS)
        admin.call("POST", "/keys/rotate")
        issued_by_then = len(issuing.tokens)
        meanwhile = ResourceServer.fetch(stack.base_url, "rotation")
        time.sleep(SECONDS)
        issuing.end()
        for each in running:
            each.result(30)
    after = ResourceServer.fetch(stack.base_url, "rotation")

    assert issuing.failures == []
    assert issuing.tokens
    for server in (before, meanwhile, after):
        for token in issuing.tokens:
            server.verify(token)
        assert server.seen == {states["active"], states["next"]}, "tokens of both keys"
    assert issued_by_then < len(issuing.tokens)
    fresh = {before.verify(token) for token in issuing.tokens[issued_by_then + CALLERS :]}
    assert fresh == {states["next"]}, "once the rotation has returned, no node signs with the former key"
    introspected = httpx.post(
        f"{token_url(stack.base_url, 'rotation')}/introspect",
        data={"token": issuing.tokens[0]},
        auth=("rotated", secret),
        trust_env=False,
    )
    assert introspected.json()["active"]
