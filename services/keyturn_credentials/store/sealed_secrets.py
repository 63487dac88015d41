"""A client's secrets as they are stored: encrypted under the encryption keys."""

from collections.abc import Collection, Mapping
from typing import Any

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.secrets import ClientSecrets, StoredSecret
from keyturn_shared.projection import secret_context
from keyturn_shared.sealing import KeyRing, SealError
from keyturn_shared.secret import Secret


def seal_secrets(ring: KeyRing, client: Client) -> dict[str, dict[str, Any]]:
    """Encode a client's current and former secret for the column ``secrets``."""
    known = {"current": client.secrets.current, "rotated": client.secrets.rotated}
    return {role: _seal(ring, client.uuid, stored) for role, stored in known.items() if stored is not None}


def open_secrets(ring: KeyRing, uuid: str, kept: Mapping[str, Mapping[str, Any]]) -> ClientSecrets:
    """Decode the column ``secrets`` of a client. A value that cannot be decrypted stays encrypted, so that
    the client can be changed, and its secret ended and replaced, all the same."""
    return ClientSecrets(
        current=_open(ring, uuid, kept.get("current")), rotated=_open(ring, uuid, kept.get("rotated"))
    )


def seal_keys_of(sealed: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the ids of the keys that encrypt and digest secrets, separated by spaces. A secret with a stored
    digest only does not count: it stays unchanged until it is regenerated."""
    kept = [stored for stored in sealed.values() if isinstance(stored["sealed"], str)]
    return seal_keys({KeyRing.key_id_of(stored[name]) for stored in kept for name in ("sealed", "digest")})


def seal_keys(key_ids: Collection[str]) -> str:
    """Encode key ids for the column ``seal_keys``."""
    return " ".join(sorted(key_ids))


def _seal(ring: KeyRing, uuid: str, stored: StoredSecret) -> dict[str, Any]:
    sealed = stored.undecrypted
    if stored.secret is not None:
        sealed = ring.seal(stored.secret.reveal().encode(), secret_context(uuid))
    kept: dict[str, Any] = {
        "digest": stored.digest,
        "created_at": stored.created_at,
        "expires_at": stored.expires_at,
        "sealed": sealed,
    }
    if stored.rotation is not None:
        kept["rotation"] = stored.rotation
    if stored.promised:
        kept["promised"] = True
    return kept


def _open(ring: KeyRing, uuid: str, kept: Mapping[str, Any] | None) -> StoredSecret | None:
    if kept is None:
        return None
    sealed = kept["sealed"]
    secret = _decrypted(ring, uuid, sealed)
    return StoredSecret(
        kept["digest"],
        kept["created_at"],
        kept["expires_at"],
        secret,
        kept.get("rotation"),
        promised=kept.get("promised", False),
        undecrypted=sealed if secret is None else None,
    )


def _decrypted(ring: KeyRing, uuid: str, sealed: object) -> Secret | None:
    if not isinstance(sealed, str):
        return None
    try:
        return Secret(ring.open(sealed, secret_context(uuid)).decode())
    except SealError:
        return None
