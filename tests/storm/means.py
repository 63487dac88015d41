"""Authenticators of a storm's clients, and the end of one of their credentials."""

import base64
import json
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, Protocol

from keyturn_shared.jose.signing import SigningKey
from tests.storm.credentials import API, ASSERTION_TYPE, SIGNED_SECONDS, Credential, Proof, alive, basic
from tests.storm.history import Register
from tests.storm.recorder import Effect, Made
from tests.testkit.certificates import Issued, issue
from tests.testkit.http_client import Answer
from tests.testkit.jwks_server import Page

_ROTATION: Final = {
    "keyturn.secret.expiration-period": "3600",
    "keyturn.secret.rotated-expiration-period": "3600",
}


class Changes(Protocol):
    """Makes changes of one client, and records them."""

    async def change(
        self,
        name: str,
        method: str,
        below: str,
        effect: Effect,
        *,
        told: Callable[[Answer], Effect] | None = None,
        unanswered: Effect | None = None,
        before: Callable[[], None] | None = None,
        done_by: int = 0,
    ) -> Made:
        """Make a change, as in ``Recorder.change``. ``before``: done right before the first attempt, as a
        part of it."""
        ...

    def may_have_happened(self, name: str, begun: float, effect: Effect) -> None:
        """Note something unreported that may have happened at any time since then, or not at all."""
        ...


class Means(ABC):
    """``authenticator``: Keycloak's name of the method. ``live``: credentials accepted while the client
    exists, is enabled, and has this method."""

    authenticator: ClassVar[str]

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        self.live: list[Credential] = []

    @property
    def method(self) -> Register:
        return ("method", self.client_id, self.authenticator)

    @property
    def registers(self) -> frozenset[Register]:
        """Return the registers of a new client with the live credentials."""
        found = frozenset().union(*(credential.needs for credential in self.live))
        return found | alive(self.client_id) | {self.method}

    @property
    def exhausted(self) -> bool:
        """Return whether nothing is left to end."""
        return False

    @abstractmethod
    def representation(self) -> dict[str, Any]:
        """Return members of a new client with the live credentials."""

    @abstractmethod
    async def end_one(self, changes: Changes) -> list[Credential]:
        """End a credential; return those that have ended."""

    def _credential(
        self, kind: str, mark: str, prove: Callable[[], Proof], sign: Callable[[], str] | None = None
    ) -> Credential:
        needs = alive(self.client_id) | {self.method, (kind, self.client_id, mark)}
        return Credential(f"{kind} {mark} of {self.client_id}", self.client_id, needs, prove, sign)


class Secret(Means):
    """A secret that is regenerated, which ends the former one. ``rotated``: the former one is valid until a
    separate call ends it."""

    authenticator = "client-secret"

    def __init__(self, client_id: str, *, rotated: bool = False) -> None:
        super().__init__(client_id)
        self._rotated = rotated
        self._count = 0
        self._value = ""
        self._loose: list[float] = []
        self._take(f"the first secret of {client_id}, which is long enough")

    def representation(self) -> dict[str, Any]:
        return {"secret": self._value, "attributes": dict(_ROTATION) if self._rotated else {}}

    async def end_one(self, changes: Changes) -> list[Credential]:
        former = self.live[-1]

        def told(answer: Answer) -> Effect:
            self._take(json.loads(answer.body)["value"])
            return Effect(makes=_own(self.live[-1]))

        # With rotation the former one stays, except for an attempt after another one.
        ends = Effect(ends=_own(former))
        made = await changes.change(
            "secret regenerated",
            "POST",
            "/client-secret",
            Effect() if self._rotated else ends,
            told=told,
            unanswered=ends,
        )
        if made.loose is not None:
            self._loose.append(made.loose)
        # An unanswered attempt may come late: it replaces whatever is current then.
        for begun in self._loose:
            both = Effect(ends=_own(former) | _own(self.live[-1]))
            changes.may_have_happened("secret regenerated once more", begun, both)
        if self._rotated:
            await changes.change(
                "former secret revoked", "DELETE", "/client-secret/rotated", ends, done_by=404
            )
        self.live = self.live[-1:]
        return [former]

    def _take(self, value: str) -> None:
        self._count += 1
        self._value = value
        proof = Proof(basic(self.client_id, value), {})
        self.live.append(self._credential("secret", f"#{self._count}", lambda: proof))


class InlineKeys(Means):
    """Several keys, revoked by thumbprint one after the other, while the key set continues to serve them."""

    authenticator = "client-jwt"

    def __init__(self, client_id: str, audience: str, keys: int) -> None:
        super().__init__(client_id)
        self._audience = audience
        self._keys = [SigningKey.generate() for _ in range(keys)]
        self.live = [self._of_key(key) for key in self._keys]

    @property
    def exhausted(self) -> bool:
        return len(self._keys) == 1

    def representation(self) -> dict[str, Any]:
        jwks = json.dumps({"keys": self._published})
        return {"attributes": {"use.jwks.string": "true", "jwks.string": jwks}}

    async def end_one(self, changes: Changes) -> list[Credential]:
        return await self._revoke(changes)

    @property
    def _published(self) -> Sequence[Any]:
        return [dict(key.public_jwk) for key in self._keys]

    async def _revoke(self, changes: Changes) -> list[Credential]:
        ended, thumbprint = self.live[0], self._keys[0].verification_key.thumbprint
        ends = Effect(ends=_own(ended))
        await changes.change("key revoked", "POST", f"/keys/{thumbprint}/revoke", ends)
        del self._keys[0], self.live[0]
        return [ended]

    def _of_key(self, key: SigningKey) -> Credential:
        def signed(audience: str, jti: str, now: int) -> str:
            claims = {"iss": self.client_id, "sub": self.client_id, "aud": audience, "jti": jti}
            times = {"iat": now, "exp": now + SIGNED_SECONDS}
            return key.sign_compact(key.header_segment(), {**claims, **times})

        def prove() -> Proof:
            now, jti = int(time.time()), str(uuid.uuid4())
            assertion = signed(self._audience, jti, now)
            form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
            return Proof({}, form, jti, now + SIGNED_SECONDS)

        def sign() -> str:
            return signed(API, str(uuid.uuid4()), int(time.time()))

        return self._credential("key", key.kid[:8], prove, sign)


class KeysOfUrl(InlineKeys):
    """Several keys behind a JWKS URL: one is revoked although its URL serves it, the next one is withdrawn
    and the key sets are cleared."""

    def __init__(self, client_id: str, audience: str, keys: int, url: str, pages: dict[str, Page]) -> None:
        super().__init__(client_id, audience, keys)
        self._url, self._pages = url, pages
        self._path = ""
        self._times = 0
        self._withdraws = False

    def representation(self) -> dict[str, Any]:
        # A recreated client does not know the former one's revoked keys, and key sets fetched from its URL
        # still exist, so it gets a new URL.
        self._times += 1
        self._path = f"/{self.client_id}/{self._times}"
        self._pages[self._path] = Page(list(self._published))
        return {"attributes": {"use.jwks.url": "true", "jwks.url": f"{self._url}{self._path}"}}

    async def end_one(self, changes: Changes) -> list[Credential]:
        self._withdraws = not self._withdraws
        return await (self._withdraw(changes) if self._withdraws else self._revoke(changes))

    async def _withdraw(self, changes: Changes) -> list[Credential]:
        ended = self.live[0]

        def withdraw() -> None:
            del self._keys[0], self.live[0]
            page = self._pages[self._path]
            gone = ended.needs
            page.keys = [jwk for jwk in page.keys if ("key", self.client_id, jwk["kid"][:8]) not in gone]

        ends = Effect(ends=_own(ended))
        await changes.change(
            "key withdrawn and key sets cleared", "POST", "/clear-keys-cache", ends, before=withdraw
        )
        return [ended]


class Certificates(Means):
    """Several certificates with one name, whose keys are revoked one after the other."""

    authenticator = "client-x509"

    def __init__(self, client_id: str, authority: Issued, count: int) -> None:
        super().__init__(client_id)
        self._issued = [issue(authority, f"CN={client_id}") for _ in range(count)]
        self.live = [self._of(each) for each in self._issued]

    @property
    def exhausted(self) -> bool:
        return len(self._issued) == 1

    def representation(self) -> dict[str, Any]:
        return {"attributes": {"x509.subjectdn": f"CN={self.client_id}"}}

    async def end_one(self, changes: Changes) -> list[Credential]:
        ended, thumbprint = self.live[0], self._issued[0].thumbprint
        ends = Effect(ends=_own(ended))
        await changes.change("certificate's key revoked", "POST", f"/keys/{thumbprint}/revoke", ends)
        del self._issued[0], self.live[0]
        return [ended]

    def _of(self, certificate: Issued) -> Credential:
        # As a proxy forwards it (RFC 9440).
        shown = {"Client-Cert": f":{base64.b64encode(certificate.der).decode()}:"}
        proof = Proof(shown, {"client_id": self.client_id}, by_certificate=True)
        return self._credential("certificate", certificate.thumbprint[:8], lambda: proof)


def _own(credential: Credential) -> frozenset[Register]:
    """Return the register of the credential alone."""
    kinds = ("secret", "key", "certificate")
    return frozenset(register for register in credential.needs if register[0] in kinds)
