"""What anybody may read of a realm: its keys and its metadata."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from keyturn_shared.errors import KeyturnError
from keyturn_verifier.node.node import Basis, Node
from keyturn_verifier.node.states import RealmState
from keyturn_verifier.realms import require_realm
from keyturn_verifier.tokens.discovery import CertificateAbilities, describe
from keyturn_verifier.web.errors import common_error
from keyturn_verifier.web.exchange import JSON_TYPE, Headers, Reply, Request

MAX_AGE_SECONDS: Final = 60
"""A key is published longer than that before it signs."""

_PUBLIC: Final[Headers] = [
    JSON_TYPE,
    (b"cache-control", f"public, max-age={MAX_AGE_SECONDS}".encode()),
    (b"access-control-allow-origin", b"*"),
]


def metadata_endpoint(
    node: Node, document: Callable[[RealmState], bytes]
) -> Callable[[Request], Awaitable[Reply]]:
    """An endpoint that shows one document of a realm."""

    async def decision(basis: Basis, name: str) -> bytes:
        return document(await require_realm(basis, name))

    async def endpoint(request: Request) -> Reply:
        try:
            body = await node.decide(lambda basis: decision(basis, request.realm))
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
    """The realm's public keys as a JWK Set."""
    return realm.certs


def discovery_document(certificates: CertificateAbilities) -> Callable[[RealmState], bytes]:
    """The realm's metadata, of a node that can do so much with certificates."""
    return lambda realm: msgspec.json.encode(describe(realm, certificates))
