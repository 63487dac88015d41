"""Calls of a running stack. Every secret sent or shown becomes a needle, every other answer is recorded."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from tests.secrecy.needles import Needles
from tests.testkit.local_stack import RunningStack


@dataclass
class Recorder:
    """``said``: answers without secrets, each with its call."""

    stack: RunningStack
    needles: Needles = field(default_factory=Needles)
    said: list[tuple[str, bytes]] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.stack.base_url, timeout=60, trust_env=False)
        admin = self.stack.local["admin"]
        self.note("the first admin's secret", admin["client_secret"])
        self.admin_token = self.token("master", admin["client_id"], admin["client_secret"])

    def note(self, name: str, secret: str) -> str:
        self.needles.add_text(name, secret)
        return secret

    def new_secret(self, name: str) -> str:
        """Choose a secret to send."""
        return self.note(name, secrets.token_urlsafe(32))

    def note_key(self, name: str, key: PrivateKeyTypes) -> None:
        self.needles.add_key(name, key)

    def new_key(self, name: str) -> ec.EllipticCurvePrivateKey:
        """Make a key, for sending where none belongs, or for signing."""
        key = ec.generate_private_key(ec.SECP256R1())
        self.needles.add_key(name, key)
        return key

    def send(
        self, method: str, url: str, *, shows: Callable[[httpx.Response], Any] | None = None, **options: Any
    ) -> httpx.Response:
        """``shows`` notes the secrets of a successful answer; without it the answer must not have any."""
        answer = self.http.request(method, url, **options)
        assert answer.status_code < 500, f"{method} {url}: {answer.status_code} {answer.text}"
        self.statuses[f"{method} {answer.request.url.path}"] = answer.status_code
        if shows is not None and answer.is_success:
            shows(answer)
        else:
            head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
            self.said.append((f"{method} {url} ({answer.status_code})", head.encode() + answer.content))
        return answer

    def admin(
        self, method: str, path: str, *, token: str | None = None, accept: str = "*/*", **options: Any
    ) -> httpx.Response:
        """Make a call of the admin API, by default as the first admin."""
        headers = {"Authorization": f"Bearer {token or self.admin_token}", "Prefer": "wait=20"}
        return self.send(method, f"/admin/realms{path}", headers=headers | {"Accept": accept}, **options)

    def create(self, path: str, body: dict[str, Any], **options: Any) -> str:
        """Send a POST; return the id at the end of the Location."""
        answer = self.admin("POST", path, json=body, **options)
        assert answer.status_code == 201, answer.text
        return answer.headers["location"].rpartition("/")[2]

    def token(self, realm: str, client_id: str, secret: str) -> str:
        """Get an access token by client_secret_basic; its signature is noted."""
        answer = self.http.post(
            token_path(realm), data={"grant_type": "client_credentials"}, auth=(client_id, secret)
        )
        assert answer.status_code == 200, answer.text
        return self.note_token(answer.json()["access_token"])

    def note_token(self, token: str) -> str:
        """Note the signature; header and claims are not secret."""
        self.note("an access token or assertion", token.rpartition(".")[2])
        return token


def token_path(realm: str) -> str:
    return f"/realms/{realm}/protocol/openid-connect/token"
