"""Credentials that callers in a storm present, the places, and the reading of the answers."""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final
from urllib.parse import quote, urlencode

import jwt

from tests.storm.history import Register, Verdict
from tests.testkit.admin_client import REALM
from tests.testkit.http_client import Answer

ASKER, ASKERS_SECRET = "asker", "the secret of one who asks about others' tokens"
"""A client that nothing is ended for."""
API: Final = "https://api.example.com"
"""The audience of clients' own tokens for a resource server."""
SIGNED_SECONDS: Final = 50
"""Validity of clients' signatures in seconds."""
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_OIDC: Final = f"/realms/{REALM}/protocol/openid-connect"
TOKEN_TARGET: Final = f"{_OIDC}/token"
REVOKE_TARGET: Final = f"{_OIDC}/revoke"
_SPARE_SECONDS: Final = 3.0
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_JSON: Final = {"Content-Type": "application/json"}

Reading = tuple[Verdict, frozenset[Register], "AccessToken | None"]
"""The verdict, its subject, and an issued token."""


@dataclass(frozen=True)
class Proof:
    """A client's proof: headers and members of a form. ``until``: expiry by the wall clock.
    ``by_certificate``: no gateway lets callers claim a certificate."""

    headers: dict[str, str]
    form: dict[str, str]
    single_use: str | None = None
    until: float = inf
    by_certificate: bool = False


@dataclass(frozen=True)
class Shown:
    """One request. ``owner``: the client it belongs to."""

    name: str
    place: str
    owner: str
    needs: frozenset[Register]
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    read: Callable[[Answer], Reading]
    single_use: str | None = None
    until: float = inf
    by_certificate: bool = False

    def may_be_excused(self, now: float, *, by_gateway: bool) -> bool:
        """Return whether a refusal means nothing: the proof has expired on the way, or a gateway, which
        retries at another node, has itself used up an assertion."""
        return now > self.until - _SPARE_SECONDS or (by_gateway and self.single_use is not None)


@dataclass(frozen=True)
class Credential:
    """A credential that is accepted while all of ``needs`` holds. ``prove`` makes a new proof. ``sign``: for
    a resource server; None if it cannot sign."""

    name: str
    owner: str
    needs: frozenset[Register]
    prove: Callable[[], Proof]
    sign: Callable[[], str] | None = None


@dataclass(frozen=True)
class AccessToken:
    """An issued token. ``until``: expiry by the wall clock."""

    name: str
    owner: str
    needs: frozenset[Register]
    register: Register
    until: float
    text: str = field(repr=False)


def basic(client_id: str, secret: str) -> dict[str, str]:
    """Return the header of RFC 6749 section 2.3.1."""
    pair = base64.b64encode(f"{quote(client_id, '')}:{quote(secret, '')}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def form_headers(proof: Proof) -> dict[str, str]:
    """Return the headers of a form sent with it."""
    return {**_FORM, **proof.headers}


def at_token_endpoint(credential: Credential, proof: Proof | None = None) -> Shown:
    """``proof``: an earlier one, to present it again."""
    proof = proof or credential.prove()

    def read(answer: Answer) -> Reading:
        verdict = _by_status(answer, granted=(200,))
        token = _issued(answer, credential) if verdict is Verdict.GRANTED else None
        return verdict, credential.needs, token

    form = {"grant_type": "client_credentials", **proof.form}
    return _shown(credential, proof, "token endpoint", TOKEN_TARGET, form, read)


def as_asker(credential: Credential) -> Shown:
    """Ask about an invalid token with this credential."""
    proof = credential.prove()

    def read(answer: Answer) -> Reading:
        return _by_status(answer, granted=(200,)), credential.needs, None

    form = {"token": "x", **proof.form}
    return _shown(credential, proof, "introspection, its caller", f"{TOKEN_TARGET}/introspect", form, read)


def at_introspection(token: AccessToken) -> Shown:
    return _asked(
        token, "introspection", f"{TOKEN_TARGET}/introspect", {}, lambda answer: json.loads(answer.body)
    )


def at_signed_introspection(token: AccessToken) -> Shown:
    """RFC 9701."""

    def read(answer: Answer) -> dict[str, Any]:
        # The signer does not matter here.
        claims = jwt.decode(answer.body.decode(), options={"verify_signature": False})
        return dict(claims["token_introspection"])

    accept = {"Accept": "application/token-introspection+jwt"}
    return _asked(token, "signed introspection", f"{TOKEN_TARGET}/introspect", accept, read)


def at_verify(shown: AccessToken | Credential) -> Shown:
    """A token, or a client's signature for a resource server."""
    asked: dict[str, Any] = {"tokens": [_text(shown)]}
    if isinstance(shown, Credential):
        asked["audience"] = API

    def read(answer: Answer) -> Reading:
        if answer.status != 200:
            return _by_status(answer, granted=()), _ASKERS_NEEDS, None
        [result] = json.loads(answer.body)["results"]
        if result["active"]:
            return Verdict.GRANTED, shown.needs, None
        unable = result["error"] in ("keys_unavailable", "fenced")
        return (Verdict.UNDECIDED if unable else Verdict.REFUSED), shown.needs, None

    headers = {**_JSON, **basic(ASKER, ASKERS_SECRET)}
    target, body = f"/realms/{REALM}/verify", json.dumps(asked).encode()
    return _of(shown, "/verify", "POST", target, headers, body, read)


def at_forward_auth(shown: AccessToken | Credential) -> Shown:
    target = f"/realms/{REALM}/forward-auth"
    if isinstance(shown, Credential):
        target += f"?{urlencode({'audience': API})}"

    def read(answer: Answer) -> Reading:
        return _by_status(answer, granted=(200, 204)), shown.needs, None

    headers = {"Authorization": f"Bearer {_text(shown)}"}
    return _of(shown, "forward-auth", "GET", target, headers, b"", read)


PLACES_OF_TOKENS: Final = (at_introspection, at_signed_introspection, at_verify, at_forward_auth)


def _shown(
    credential: Credential,
    proof: Proof,
    place: str,
    target: str,
    form: dict[str, str],
    read: Callable[[Answer], Reading],
) -> Shown:
    return Shown(
        credential.name,
        place,
        credential.owner,
        credential.needs,
        "POST",
        target,
        form_headers(proof),
        urlencode(form).encode(),
        read,
        proof.single_use,
        proof.until,
        proof.by_certificate,
    )


def _of(
    shown: AccessToken | Credential,
    place: str,
    method: str,
    target: str,
    headers: dict[str, str],
    body: bytes,
    read: Callable[[Answer], Reading],
) -> Shown:
    until = shown.until if isinstance(shown, AccessToken) else time.time() + SIGNED_SECONDS
    request = (method, target, headers, body)
    return Shown(shown.name, place, shown.owner, shown.needs, *request, read, until=until)


def _asked(
    token: AccessToken,
    place: str,
    target: str,
    accept: dict[str, str],
    members: Callable[[Answer], dict[str, Any]],
) -> Shown:
    def read(answer: Answer) -> Reading:
        if answer.status != 200:
            return _by_status(answer, granted=()), _ASKERS_NEEDS, None
        active = members(answer)["active"]
        return (Verdict.GRANTED if active else Verdict.REFUSED), token.needs, None

    headers = {**_FORM, **basic(ASKER, ASKERS_SECRET), **accept}
    body = urlencode({"token": token.text}).encode()
    return _of(token, place, "POST", target, headers, body, read)


def _by_status(answer: Answer, *, granted: tuple[int, ...]) -> Verdict:
    if answer.status in granted:
        return Verdict.GRANTED
    if answer.status in (408, 429) or answer.status >= 500:
        return Verdict.UNDECIDED
    return Verdict.REFUSED


def _issued(answer: Answer, credential: Credential) -> "AccessToken":
    text = json.loads(answer.body)["access_token"]
    claims = jwt.decode(text, options={"verify_signature": False})
    register = ("token", claims["jti"])
    owner = credential.owner
    return AccessToken(f"token of {owner}", owner, alive(owner) | {register}, register, claims["exp"], text)


def _text(shown: AccessToken | Credential) -> str:
    if isinstance(shown, AccessToken):
        return shown.text
    assert shown.sign is not None
    return shown.sign()


def alive(client_id: str) -> frozenset[Register]:
    """Return what must hold for a client to be granted anything."""
    return frozenset({("client", client_id, "there"), ("client", client_id, "enabled")})


_ASKERS_NEEDS: Final = alive(ASKER) | {("secret", ASKER)}
