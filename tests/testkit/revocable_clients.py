"""Clients of a storm: their authenticators, and the end of one of their credentials."""

import base64
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote, urlencode

from keyturn_shared.jose.signing import SigningKey
from tests.testkit.admin_client import REALM, Admin
from tests.testkit.http_client import Answer

_GRANT = {"grant_type": "client_credentials"}
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS = 50
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Credential:
    """``request`` makes headers and body of a token request that uses it; each has a jti of its own."""

    name: str
    request: Callable[[], tuple[dict[str, str], bytes]]


class StormClient(Protocol):
    """``ended``: credentials that an acknowledged change has ended."""

    busy: bool
    ended: list[Credential]

    @property
    def current(self) -> Credential:
        """Return the accepted credential."""
        ...

    @property
    def exhausted(self) -> bool:
        """Return whether nothing is left to end."""
        ...

    async def end_one(self, admin: Admin) -> Answer:
        """End a credential. After a NoAnswerError it is unknown whether it ended: call it again."""
        ...


@dataclass
class SecretClient:
    """A client whose secret is regenerated, which ends the former one."""

    uuid: str
    client_id: str
    secret: str
    busy: bool = False
    ended: list[Credential] = field(default_factory=list)
    exhausted = False

    @classmethod
    async def register(cls, admin: Admin, client_id: str) -> "SecretClient":
        identifier = await admin.create_client({"clientId": client_id, "serviceAccountsEnabled": True})
        secret = await admin.call("GET", f"/clients/{identifier}/client-secret")
        return cls(identifier, client_id, json.loads(secret.body)["value"])

    @property
    def current(self) -> Credential:
        return secret_credential(self.client_id, self.secret)

    async def end_one(self, admin: Admin) -> Answer:
        former = self.current
        answer = await admin.change("POST", f"/clients/{self.uuid}/client-secret")
        self.secret = json.loads(answer.body)["value"]
        self.ended.append(former)
        return answer


@dataclass
class KeyClient:
    """A client with several keys, revoked by thumbprint one after the other, while its key set continues to
    serve them."""

    uuid: str
    client_id: str
    audience: str
    keys: list[SigningKey]
    busy: bool = False
    ended: list[Credential] = field(default_factory=list)

    @classmethod
    async def register(cls, admin: Admin, client_id: str, audience: str, keys: int) -> "KeyClient":
        made = [SigningKey.generate() for _ in range(keys)]
        jwks = json.dumps({"keys": [key.public_jwk for key in made]})
        representation = {
            "clientId": client_id,
            "serviceAccountsEnabled": True,
            "clientAuthenticatorType": "client-jwt",
            "attributes": {"use.jwks.string": "true", "jwks.string": jwks},
        }
        return cls(await admin.create_client(representation), client_id, audience, made)

    @property
    def current(self) -> Credential:
        return self._credential(self.keys[-1])

    @property
    def exhausted(self) -> bool:
        return len(self.keys) == 1

    async def end_one(self, admin: Admin) -> Answer:
        key = self.keys[0]
        thumbprint = key.verification_key.thumbprint
        answer = await admin.change("POST", f"/clients/{self.uuid}/keys/{thumbprint}/revoke")
        self.ended.append(self._credential(self.keys.pop(0)))
        return answer

    def _credential(self, key: SigningKey) -> Credential:
        def request() -> tuple[dict[str, str], bytes]:
            now = int(time.time())
            claims = {"iss": self.client_id, "sub": self.client_id, "aud": self.audience}
            times = {"iat": now, "exp": now + _ASSERTION_SECONDS}
            signed = key.sign_compact(key.header_segment(), {**claims, **times, "jti": str(uuid.uuid4())})
            form = {**_GRANT, "client_assertion_type": _ASSERTION_TYPE, "client_assertion": signed}
            return _FORM, urlencode(form).encode()

        return Credential(f"key {key.kid} of {self.client_id}", request)


def secret_credential(client_id: str, secret: str) -> Credential:
    pair = base64.b64encode(f"{quote(client_id, '')}:{quote(secret, '')}".encode()).decode()
    headers, body = {**_FORM, "Authorization": f"Basic {pair}"}, urlencode(_GRANT).encode()
    return Credential(f"secret of {client_id}", lambda: (headers, body))


TOKEN_TARGET = f"/realms/{REALM}/protocol/openid-connect/token"
