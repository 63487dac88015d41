"""Reads what issuers publish: OpenID Provider metadata and SPIFFE bundles. Pure."""

from typing import Any, Final

from keyturn_shared.jose import strict_json
from keyturn_shared.jose.errors import InvalidKeySetError, MalformedError
from keyturn_shared.jose.key_set import KeySet, read_document
from keyturn_verifier.key_sets.download import DownloadError

MAX_METADATA_BYTES: Final = 64 * 1024
"""Size of an issuer's metadata, which is read on the event loop."""

_SVID: Final = "jwt-svid"


def jwks_uri_of(metadata: bytes, issuer: str) -> str:
    """Return the URL of the issuer's keys (OpenID Connect Discovery 1.0 section 4.3). Raises DownloadError,
    above all if the metadata is that of another issuer."""
    if len(metadata) > MAX_METADATA_BYTES:
        raise DownloadError("metadata_invalid", f"longer than {MAX_METADATA_BYTES} bytes")
    try:
        members = strict_json.decode_object(metadata)
    except MalformedError as error:
        raise DownloadError("metadata_invalid", error.detail) from None
    if members.get("issuer") != issuer:
        raise DownloadError("issuer_mismatch", f"the metadata is that of {members.get('issuer')!r:.200}")
    uri = members.get("jwks_uri")
    if not isinstance(uri, str):
        raise DownloadError("metadata_invalid", "jwks_uri is missing, or is not a string")
    return uri


def read_bundle(body: bytes, *, max_bytes: int, max_keys: int) -> KeySet:
    """Read a SPIFFE bundle: a JWK Set whose keys for JWT-SVIDs have the use ``jwt-svid``. Keys with another
    use, such as those of authorities for X.509-SVIDs, or with none, are skipped. Raises InvalidKeySetError.

    As in Keycloak, keys with the use ``sig`` count too: some servers publish the keys only as such.
    """
    if len(body) > max_bytes:
        raise InvalidKeySetError(f"longer than {max_bytes} bytes")
    members = read_document(body)
    jwks = members.get("keys")
    if isinstance(jwks, list):
        members["keys"] = [_as_signature_key(jwk) for jwk in jwks]
    return KeySet.from_members(members, max_keys=max_keys)


def _as_signature_key(jwk: Any) -> Any:
    if not isinstance(jwk, dict):
        return jwk
    use = jwk.get("use")
    return {**jwk, "use": "sig" if use == _SVID else use or ""}
