"""Requests for what a place grants, at every process that could grant it."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any, Final
from urllib.parse import urlencode

import jwt

from tests.integration.revocation.deployment import API, Deployment, Server
from tests.integration.revocation.places import Place
from tests.integration.revocation.subjects import Subject
from tests.testkit.http_client import Answer, NoAnswerError
from tests.testkit.nodes import ASSERTION_TYPE, basic

ASKER, ASKERS_SECRET = "asker", "the secret of one who asks about others' tokens"
"""A client of each realm that is not among those that end."""
_ASKING: Final = {"Authorization": basic(ASKER, ASKERS_SECRET)}
SECONDS: Final = 120.0
STREAM: Final = "fleet/stream"


class Outcome(Enum):
    GRANTED = "granted"
    REFUSED = "refused"
    UNDECIDED = "undecided"
    """Nothing was granted, but the credential was not judged either."""


def servers_for(deployment: Deployment, place: Place) -> list[Server]:
    """Return all processes that could grant what the place grants."""
    if place.key in ("admin-api", "stream", "console", "console-stream"):
        return [deployment.credentials]
    if place.key.startswith("library"):
        return deployment.libraries
    if place.administers:  # a node forwards these, and a gateway may send them there directly
        return [*deployment.nodes, deployment.credentials]
    return deployment.nodes


async def probe(deployment: Deployment, server: Server, subject: Subject) -> tuple[Outcome, str]:
    """Make the request; return the outcome, and its description."""
    try:
        outcome, words = await _BY_USE[subject.place.use](server, subject)
        if outcome is Outcome.UNDECIDED and subject.place.key == "library-url":
            # A resource server uses key sets that nodes fetched, and no node has been asked yet.
            await _verified(deployment.nodes[0], subject, _ASKING)
    except NoAnswerError as error:
        return Outcome.UNDECIDED, repr(error)
    return outcome, words


def stream_request(subject: Subject) -> tuple[str, dict[str, str]]:
    """Return path and headers of the subject's event stream."""
    shown = {"Cookie": subject.cookie} if subject.cookie else _bearer(subject)
    return f"/admin/realms/{subject.realm}/{STREAM}", shown


async def _grant(server: Server, subject: Subject) -> tuple[Outcome, str]:
    form, headers = _proof(subject)
    form["grant_type"] = "client_credentials"
    answer = await _post(server, _oidc(subject, "token"), form, headers)
    return _by_status(answer, granted=(200,))


async def _caller(server: Server, subject: Subject) -> tuple[Outcome, str]:
    """Any permitted caller gets an answer, here about an invalid token."""
    form, headers = _proof(subject)
    if subject.place.key == "ask-jwt":
        path = f"/realms/{subject.realm}/verify"
        answer = await _post_json(server, path, {"tokens": ["x.y.z"], **form}, headers)
    else:
        answer = await _post(server, _oidc(subject, "token/introspect"), {"token": "x", **form}, headers)
    return _by_status(answer, granted=(200,))


async def _token(server: Server, subject: Subject) -> tuple[Outcome, str]:
    match subject.place.key:
        case "introspect":
            return await _introspected(server, subject, _ASKING, lambda answer: json.loads(answer.body))
        case "introspect-jwt":
            signed = _ASKING | {"Accept": "application/token-introspection+jwt"}
            return await _introspected(server, subject, signed, _signed_answer)
        case "ask-token":
            path = _oidc(subject, "token/introspect")
            answer = await _post(server, path, {"token": "x"}, _bearer(subject))
        case "verify" | "verify-inline" | "verify-cert" | "verify-url" | "verify-secret":
            return await _verified(server, subject, _ASKING)
        case "gate":
            answer = await _get(server, f"/realms/{subject.realm}/forward-auth", _bearer(subject))
        case "gate-url":
            path = f"/realms/{subject.realm}/forward-auth?{urlencode({'audience': API})}"
            answer = await _get(server, path, _bearer(subject))
        case "library":
            answer = await _get(server, f"/realms/{subject.realm}", _bearer(subject))
        case "library-url":
            answer = await _get(server, f"/realms/{subject.realm}?own", _bearer(subject))
        case _:
            return await _administration(server, subject)
    return _by_status(answer, granted=(200, 204))


async def _administration(server: Server, subject: Subject) -> tuple[Outcome, str]:
    path, headers = stream_request(subject)
    if subject.place.key.endswith("stream"):
        async with asyncio.timeout(60), server.http.stream("GET", path, headers=headers) as stream:
            return _by_status(Answer(stream.status_code), granted=(200,))
    answer = await _get(server, "/admin/realms", headers)
    return _by_status(answer, granted=(200,))


async def _introspected(
    server: Server,
    subject: Subject,
    headers: dict[str, str],
    read: Callable[[Answer], dict[str, Any]],
) -> tuple[Outcome, str]:
    answer = await _post(server, _oidc(subject, "token/introspect"), {"token": subject.token}, headers)
    if answer.status != 200:
        return _by_status(answer, granted=())
    active = read(answer)["active"]
    return (Outcome.GRANTED if active else Outcome.REFUSED), f"active: {active}"


def _signed_answer(answer: Answer) -> dict[str, Any]:
    # The signer does not matter here.
    claims = jwt.decode(answer.body.decode(), options={"verify_signature": False})
    return dict(claims["token_introspection"])


async def _verified(server: Server, subject: Subject, headers: dict[str, str]) -> tuple[Outcome, str]:
    asked: dict[str, Any] = {"tokens": [subject.token]}
    if subject.place.use == "own token":
        asked["audience"] = API
    answer = await _post_json(server, f"/realms/{subject.realm}/verify", asked, headers)
    if answer.status != 200:
        return _by_status(answer, granted=())
    [result] = json.loads(answer.body)["results"]
    if result["active"]:
        return Outcome.GRANTED, "active"
    undecided = result["error"] == "keys_unavailable"
    return (Outcome.UNDECIDED if undecided else Outcome.REFUSED), str(result["error"])


def _proof(subject: Subject) -> tuple[dict[str, str], dict[str, str]]:
    """Return members of a form, and headers."""
    if subject.authenticator == "client-x509":
        # As a proxy forwards a certificate (RFC 9440).
        shown = f":{base64.b64encode(subject.certificate.der).decode()}:"
        return {"client_id": subject.client_id}, {"Client-Cert": shown}
    if subject.authenticator != "client-secret":
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": subject.assertion()}, {}
    if subject.place.key == "post":
        return {"client_id": subject.client_id, "client_secret": subject.secret}, {}
    return {}, {"Authorization": basic(subject.client_id, subject.secret)}


def _bearer(subject: Subject) -> dict[str, str]:
    return {"Authorization": f"Bearer {subject.token}"}


def _oidc(subject: Subject, name: str) -> str:
    return f"/realms/{subject.realm}/protocol/openid-connect/{name}"


def _by_status(answer: Answer, *, granted: tuple[int, ...]) -> tuple[Outcome, str]:
    status, said = answer.status, answer.body[:120].decode()
    if status in granted:
        return Outcome.GRANTED, str(status)
    if status in (429, 502, 503) or "admin_tokens_elsewhere" in said:
        return Outcome.UNDECIDED, f"{status} {said}"
    assert status in (400, 401, 403, 404), f"{status} {said}"
    return Outcome.REFUSED, f"{status} {said}"


async def _get(server: Server, path: str, headers: dict[str, str]) -> Answer:
    return await server.probed.ask("GET", path, headers=headers, timeout=SECONDS)


async def _post(server: Server, path: str, form: dict[str, str], headers: dict[str, str]) -> Answer:
    typed = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode(form).encode()
    return await server.probed.ask("POST", path, headers=typed, body=body, timeout=SECONDS)


async def _post_json(server: Server, path: str, body: dict[str, Any], headers: dict[str, str]) -> Answer:
    typed = {**headers, "Content-Type": "application/json"}
    return await server.probed.ask(
        "POST", path, headers=typed, body=json.dumps(body).encode(), timeout=SECONDS
    )


_BY_USE: Final[dict[str, Callable[[Server, Subject], Awaitable[tuple[Outcome, str]]]]] = {
    "grant": _grant,
    "caller": _caller,
    "own token": _token,
    "token": _token,
    "session": _administration,
}
