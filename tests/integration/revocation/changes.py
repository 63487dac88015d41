"""Calls that end something. Each returns once the fleet is safe, or the test fails."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from tests.integration.revocation.deployment import WAIT, Deployment, require_in_force
from tests.integration.revocation.subjects import Subject, certified, inline, key_of, public_jwk
from tests.testkit.certificates import issue
from tests.testkit.jwks_server import Page
from tests.testkit.nodes import basic

Change = Callable[[Deployment, Subject], Awaitable[None]]


async def end(deployment: Deployment, subjects: Sequence[Subject]) -> None:
    """End what the subjects present: one of them, or a whole realm by one call."""
    first = subjects[0]
    assert first.way is not None
    for subject in subjects:
        if first.way.key in ("cleared", "all-cleared", "issuer-cleared"):
            deployment.jwks.pages[subject.key_set_path] = Page([public_jwk(issue(None))])
    await _CHANGES[first.way.key](deployment, first)


def _client(subject: Subject, below: str = "") -> str:
    return f"/{subject.realm}/clients/{subject.uuid}{below}"


def _put_client(**members: Any) -> Change:
    async def change(deployment: Deployment, subject: Subject) -> None:
        await deployment.call("PUT", _client(subject), json=members)

    return change


def _put_realm(**members: Any) -> Change:
    async def change(deployment: Deployment, subject: Subject) -> None:
        await deployment.call("PUT", f"/{subject.realm}", json=members)

    return change


def _call(method: str, below: str) -> Change:
    async def change(deployment: Deployment, subject: Subject) -> None:
        await deployment.call(method, _client(subject, below))

    return change


def _call_realm(method: str, below: str) -> Change:
    async def change(deployment: Deployment, subject: Subject) -> None:
        await deployment.call(method, f"/{subject.realm}{below}")

    return change


async def _revoke_key(deployment: Deployment, subject: Subject) -> None:
    thumbprint = key_of(subject.certificate).verification_key.thumbprint
    await deployment.call("POST", _client(subject, f"/keys/{thumbprint}/revoke"))


def _provider(subject: Subject, below: str = "") -> str:
    return f"/{subject.realm}/identity-provider/instances/{subject.client_id}{below}"


def _call_provider(method: str, below: str = "", **request: Any) -> Change:
    async def change(deployment: Deployment, subject: Subject) -> None:
        await deployment.call(method, _provider(subject, below), **request)

    return change


async def _revoke_issuers_key(deployment: Deployment, subject: Subject) -> None:
    thumbprint = key_of(subject.certificate).verification_key.thumbprint
    await deployment.call("POST", _provider(subject, f"/keys/{thumbprint}/revoke"))


async def _reload_issuers_keys(deployment: Deployment, subject: Subject) -> None:
    """Keycloak's tools do so by a GET."""
    require_in_force(await deployment.call("GET", _provider(subject, "/reload-keys")))


async def _revoke_subject(deployment: Deployment, subject: Subject) -> None:
    await deployment.call("POST", _provider(subject, "/revoke-subject"), json={"subject": subject.subject})


async def _replace_keys(deployment: Deployment, subject: Subject) -> None:
    other = issue(None, f"CN={subject.client_id}")
    kept = subject.representation(deployment.jwks.base)["attributes"]
    new = inline(other) if subject.place.kind == "inline key" else certified(other)
    await deployment.call("PUT", _client(subject), json={"attributes": {**kept, **new}})


async def _revoke_token(deployment: Deployment, subject: Subject) -> None:
    """RFC 7009, at a node, by the client itself."""
    headers = {"Authorization": basic(subject.client_id, subject.secret), **WAIT}
    path = f"/realms/{subject.realm}/protocol/openid-connect/revoke"
    http = deployment.nodes[0].http
    answer = await http.post(path, data={"token": subject.token}, headers=headers)
    assert answer.status_code == 200, answer.text
    require_in_force(answer)


async def _end_tokens_of_client(deployment: Deployment, subject: Subject) -> None:
    await _put_client(notBefore=int(time.time()) + 1)(deployment, subject)


async def _end_tokens_of_realm(deployment: Deployment, subject: Subject) -> None:
    await _put_realm(notBefore=int(time.time()) + 1)(deployment, subject)


async def _change_authenticator(deployment: Deployment, subject: Subject) -> None:
    other = "client-jwt" if subject.authenticator.startswith("client-secret") else "client-secret"
    await _put_client(clientAuthenticatorType=other)(deployment, subject)


async def _rename_client(deployment: Deployment, subject: Subject) -> None:
    await _put_client(clientId=f"{subject.client_id}.new")(deployment, subject)


async def _rename_realm(deployment: Deployment, subject: Subject) -> None:
    await _put_realm(realm=f"{subject.realm}-new")(deployment, subject)


_CHANGES: Final[dict[str, Change]] = {
    "secret": _call("POST", "/client-secret"),
    "rotated": _call("DELETE", "/client-secret/rotated"),
    "key-inline": _revoke_key,
    "key-cert": _revoke_key,
    "key-url": _revoke_key,
    "replaced": _replace_keys,
    "set-replaced": _replace_keys,
    "cleared": _call("POST", "/clear-keys-cache"),
    "all-cleared": _call_realm("POST", "/clear-keys-cache"),
    "issuer-disabled": _call_provider("PUT", json={"enabled": False}),
    "issuer-deleted": _call_provider("DELETE"),
    "issuer-key": _revoke_issuers_key,
    "issuer-cleared": _reload_issuers_keys,
    "issuer-subject": _revoke_subject,
    "revoked": _revoke_token,
    "client-not-before": _end_tokens_of_client,
    "realm-not-before": _end_tokens_of_realm,
    "realm-keys": _call_realm("POST", "/keys/rotate?revoke=true"),
    "disabled": _put_client(enabled=False),
    "deleted": _call("DELETE", ""),
    "renamed": _rename_client,
    "authenticator": _change_authenticator,
    "no-account": _put_client(serviceAccountsEnabled=False),
    "realm-disabled": _put_realm(enabled=False),
    "realm-deleted": _call_realm("DELETE", ""),
    "realm-renamed": _rename_realm,
}
