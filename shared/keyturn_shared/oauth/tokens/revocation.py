"""A request to revoke a client's own token (RFC 7009), as sent to the credentials service."""

from urllib.parse import quote, unquote

import msgspec
from msgspec.structs import replace

from keyturn_shared.jose.errors import MalformedError
from keyturn_shared.realm_rings import FleetRing, RealmRings

REVOCATIONS_PATH = "/internal/token-revocations"
"""Path at the credentials service, for nodes only: no gateway routes it."""
_CONTEXT = "token-revocation"


class TokenToRevoke(msgspec.Struct, frozen=True, kw_only=True):
    """``digest``: see ``token_digest``. ``expires_at``: NumericDate seconds. ``realm_id``: None from a node
    of an earlier build, which has the keys of all realms."""

    realm: str
    client_uuid: str
    client_id: str
    digest: str
    expires_at: float
    realm_id: str | None = None


def seal_revocation(token: TokenToRevoke, rings: RealmRings) -> str:
    """Encrypt a revocation. Only a node that has authenticated the token's owner can make it.

    Replaying it revokes the same token again, which changes nothing. It is encrypted under the realm's keys,
    so the realm's id stands in front. Raises SealError.
    """
    realm_id = token.realm_id or ""
    sealed = rings.require(realm_id).seal(msgspec.json.encode(token), _CONTEXT)
    return f"{quote(realm_id, safe='')}:{sealed}"


def open_revocation(text: str, fleet: FleetRing) -> TokenToRevoke:
    """Decrypt a revocation; its realm is the one whose keys encrypted it, whatever it says itself. So a
    holder of one realm's keys cannot revoke tokens of another. Raises SealError and MalformedError."""
    quoted, separator, sealed = text.rpartition(":")
    realm_id = unquote(quoted) if separator else None
    ring = fleet if realm_id is None else fleet.find(realm_id)
    try:
        token = msgspec.json.decode(ring.open(sealed, _CONTEXT), type=TokenToRevoke)
    except msgspec.MsgspecError as error:
        raise MalformedError("no token to revoke") from error
    return replace(token, realm_id=realm_id)
