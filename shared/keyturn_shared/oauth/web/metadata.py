"""Public documents of a realm: its keys and its metadata."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from keyturn_shared.errors import KeyturnError
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.ports import Decider, ReadSet
from keyturn_shared.oauth.realms import require_realm
from keyturn_shared.oauth.tokens.discovery import CertificateCapabilities, describe
from keyturn_shared.oauth.web.errors import common_error
from keyturn_shared.oauth.web.messages import JSON_TYPE, Headers, Reply, Request

MAX_AGE_SECONDS: Final = 60
"""A key is published for longer than this before it signs."""

_PUBLIC: Final[Headers] = [
    JSON_TYPE,
    (b"cache-control", f"public, max-age={MAX_AGE_SECONDS}".encode()),
    (b"access-control-allow-origin", b"*"),
]


def metadata_endpoint(
    decider: Decider, document: Callable[[RealmState], bytes]
) -> Callable[[Request], Awaitable[Reply]]:
    """Make an endpoint that serves one document of a realm."""

    async def decision(read_set: ReadSet, name: str) -> bytes:
        return document(await require_realm(read_set, name))

    async def endpoint(request: Request) -> Reply:
        try:
            body = await decider.decide(lambda read_set: decision(read_set, request.realm))
        except KeyturnError as error:
            reply = common_error(error)
            if reply is None:
                raise
            return reply
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = [*_PUBLIC, (b"etag", tag.encode())]
        if request.header(b"if-none-match") == tag:
            return Reply(304, headers=headers)
        return Reply(200, body, headers)

    return endpoint


def certs_document(realm: RealmState) -> bytes:
    """Return the realm's public keys as a JWK Set."""
    return realm.certs


def discovery_document(certificates: CertificateCapabilities) -> Callable[[RealmState], bytes]:
    """Return the builder of the realm's metadata, for a process with these certificate capabilities."""
    return lambda realm: msgspec.json.encode(describe(realm, certificates))
