"""Attacks with ambiguous or disguised requests, and with unknown secrets."""

import base64
from typing import Any
from urllib.parse import urlencode

from tests.integration.attacks import EndpointAttack
from tests.testkit.attacked_node import ISSUER, OTHER_SECRET, SECRET, Scene, signed
from tests.testkit.nodes import ASSERTION_TYPE, basic

_ONE = "RFC 6749 2.3: one method in each request"
_UNIQUE = "RFC 6749 3.2: no parameter twice"
_BASIC = "RFC 7617 2; RFC 6749 2.3.1"
_SECRET = "RFC 6749 2.3.1"


def _form(**fields: str) -> str:
    return urlencode({"grant_type": "client_credentials", **fields})


def _posted(
    name: str, source: str, expected: str, status: int, body: str, *headers: tuple[str, str], query: str = ""
) -> EndpointAttack:
    """``ASSERTION`` in the body or a header stands for a valid assertion, made on sending."""

    async def send(scene: Scene) -> Any:
        assertion = signed()
        filled = [(key, value.replace("ASSERTION", assertion)) for key, value in headers]
        return await scene.raw(
            body.replace("ASSERTION", assertion).encode(),
            *filled,
            query=query.replace("ASSERTION", assertion),
        )

    return EndpointAttack(name, source, expected, send, status)


def _authorized(name: str, source: str, expected: str, status: int, authorization: str) -> EndpointAttack:
    return _posted(name, source, expected, status, _form(), ("authorization", authorization))


def _basic(raw: bytes) -> str:
    return f"Basic {base64.b64encode(raw).decode()}"


_ASSERTED = _form(client_assertion_type=ASSERTION_TYPE) + "&client_assertion=ASSERTION"
_AUTHORIZATION = ("authorization", basic("by-secret", SECRET))

AMBIGUOUS = [
    _posted("Basic and an assertion", _ONE, "invalid_request", 400, _ASSERTED, _AUTHORIZATION),
    _posted("a secret and an assertion", _ONE, "invalid_request", 400, f"{_ASSERTED}&client_secret=x"),
    _posted("Basic and a secret", _ONE, "invalid_request", 400, _form(client_secret=SECRET), _AUTHORIZATION),
    _posted(
        "Basic and another client_id",
        _ONE,
        "invalid_request",
        400,
        _form(client_id="neighbour"),
        _AUTHORIZATION,
    ),
    _posted(
        "two Basic headers", "RFC 9110 5.3", "invalid_request", 400, _form(), _AUTHORIZATION, _AUTHORIZATION
    ),
    _posted("two assertions", _UNIQUE, "invalid_request", 400, f"{_ASSERTED}&client_assertion=ASSERTION"),
    _posted(
        "client_id twice", _UNIQUE, "invalid_request", 400, f"{_ASSERTED}&client_id=worker&client_id=admin"
    ),
    _posted(
        "client_id twice, once escaped",
        _UNIQUE,
        "invalid_request",
        400,
        f"{_ASSERTED}&client_id=a&client%5Fid=b",
    ),
    _posted("grant_type twice", _UNIQUE, "invalid_request", 400, f"{_ASSERTED}&grant_type=password"),
    _posted("scope twice", _UNIQUE, "invalid_request", 400, f"{_ASSERTED}&scope=a&scope=b"),
    _posted(
        "a type of assertion that is none",
        "RFC 7521 4.2",
        "invalid_request",
        400,
        _form(client_assertion_type="urn:ietf:params:oauth:client-assertion-type:saml2-bearer")
        + "&client_assertion=ASSERTION",
    ),
    _posted(
        "no type of assertion",
        "RFC 7521 4.2",
        "invalid_request",
        400,
        f"{_form()}&client_assertion=ASSERTION",
    ),
    _posted("65 parameters", "CWE-770", "invalid_request", 400, "&".join(f"p{n}=1" for n in range(65))),
    _posted("a form that is not UTF-8", "RFC 6749 B", "invalid_request", 400, f"{_form()}&client_id=%ff"),
]

HIDDEN = [
    _posted(
        "an assertion in the query",
        "RFC 6749 2.3.1: not in the URI",
        "missing_credentials",
        401,
        _form(),
        query=f"?client_assertion_type={ASSERTION_TYPE}&client_assertion=ASSERTION",
    ),
    _posted(
        "an assertion as bearer token",
        "RFC 7521 4.2",
        "missing_credentials",
        401,
        _form(),
        ("authorization", "Bearer ASSERTION"),
    ),
    _posted("an empty assertion", "RFC 6749 3.2", "missing_credentials", 401, _form(client_assertion="")),
    _posted("a client_id alone", "RFC 6749 2.3", "missing_credentials", 401, _form(client_id="worker")),
    _posted("a secret alone", _SECRET, "missing_credentials", 401, _form(client_secret=SECRET)),
    _posted("nothing at all", "RFC 6749 2.3", "invalid_request", 400, ""),
    _posted(
        "another grant",
        "RFC 6749 5.2",
        "unsupported_grant_type",
        400,
        _ASSERTED.replace("client_credentials", "password"),
    ),
    _posted(
        "a grant of five segments",
        "RFC 7516 7.1",
        "malformed",
        401,
        _ASSERTED.replace("ASSERTION", "a.b.c.d.e"),
    ),
    _posted(
        "an assertion of 20 KiB", "CWE-770", "malformed", 401, _ASSERTED.replace("ASSERTION", "a" * 20_000)
    ),
]

SECRETS = [
    _authorized("Basic without a colon", _BASIC, "invalid_request", 400, _basic(b"by-secret")),
    _authorized("Basic that is not base64", _BASIC, "invalid_request", 400, "Basic %%%"),
    _authorized("Basic that is not UTF-8", _BASIC, "invalid_request", 400, _basic(b"by-secret:\xff\xfe")),
    _authorized("Basic with nothing", _BASIC, "invalid_request", 400, "Basic "),
    _authorized("Basic with an empty secret", _BASIC, "wrong_secret", 401, _basic(b"by-secret:")),
    _authorized("Basic without a name", _BASIC, "unknown_client", 401, _basic(f":{SECRET}".encode())),
    _authorized("a wrong secret", _SECRET, "wrong_secret", 401, basic("by-secret", "wrong")),
    _authorized("a secret in upper case", _SECRET, "wrong_secret", 401, basic("by-secret", SECRET.upper())),
    _authorized("a secret and a NUL", _SECRET, "wrong_secret", 401, basic("by-secret", f"{SECRET}\0")),
    _authorized("a secret and a space", _SECRET, "wrong_secret", 401, basic("by-secret", f"{SECRET} ")),
    _authorized(
        "a secret less its last character", _SECRET, "wrong_secret", 401, basic("by-secret", SECRET[:-1])
    ),
    _authorized(
        "a secret of 30,000 characters", "CWE-770", "wrong_secret", 401, basic("by-secret", "s" * 30_000)
    ),
    _authorized("another client's secret", _SECRET, "wrong_secret", 401, basic("by-secret", OTHER_SECRET)),
    _authorized("a client nobody knows", _SECRET, "unknown_client", 401, basic("nobody", SECRET)),
    _authorized("a client that has no secret", _SECRET, "wrong_secret", 401, basic("no-secret", "")),
    _authorized(
        "a client that is switched off", _SECRET, "client_disabled", 401, basic("by-disabled-secret", SECRET)
    ),
    _authorized(
        "a client that has keys", "RFC 7591 2", "authenticator_mismatch", 401, basic("worker", SECRET)
    ),
    _authorized(
        "a client that signs MACs", "RFC 7591 2", "authenticator_mismatch", 401, basic("by-mac", SECRET)
    ),
    _authorized(
        "Basic where a form is agreed",
        "RFC 7591 2",
        "authenticator_mismatch",
        401,
        basic("post-only", SECRET),
    ),
    _authorized(
        "a secret whose time is over", "RFC 7591 3.2.1", "secret_expired", 401, basic("rotated", SECRET)
    ),
    _authorized(
        "a client without this grant",
        "RFC 6749 5.2",
        "unauthorized_client",
        400,
        basic("no-service-account", SECRET),
    ),
    _authorized("Digest", "RFC 7616", "missing_credentials", 401, 'Digest username="by-secret"'),
]


def _granted(name: str, source: str, expected: str, **form: str) -> EndpointAttack:
    return _posted(name, source, expected, 400, _form(**form), _AUTHORIZATION)


GRANTS = [
    _granted("a scope the client may not have", "RFC 6749 3.3", "invalid_scope", scope="read write"),
    _granted("a scope in another case", "RFC 6749 3.3", "invalid_scope", scope="READ"),
    _granted("a scope with a quote", "RFC 6749 3.3", "invalid_scope", scope='read"'),
    _granted("an audience the client may not have", "RFC 8707 2", "invalid_target", resource="https://other"),
    _granted("the issuer as audience", "RFC 8707 2", "invalid_target", audience=ISSUER),
]

ATTACKS = [*AMBIGUOUS, *HIDDEN, *SECRETS, *GRANTS]
