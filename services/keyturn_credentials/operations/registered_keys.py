"""A registered key added beside a client's others, or removed from among them. Pure."""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_keys import keys_of
from keyturn_credentials.domain.rotation import RotatedKeys
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.operations.client_keys import inline_jwks_attributes, with_keys
from keyturn_shared.jose.errors import InvalidKeyError
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.key_set import read_document

_OF_CERTIFICATE: Final = tuple(
    f"jwt.credential.{name}" for name in (attributes.CERTIFICATE, attributes.PUBLIC_KEY, attributes.KID)
)
_OF_SET: Final = (attributes.USE_JWKS_STRING, attributes.JWKS_STRING)


def read_next_key(jwk: object, client: Client) -> VerificationKey:
    """Read a client's next public key (RFC 7517). Raises InvalidRequestError."""
    if not isinstance(jwk, Mapping):
        raise InvalidRequestError("jwk must be a public key as a JSON object (RFC 7517)")
    try:
        key = VerificationKey.from_jwk(jwk)
    except InvalidKeyError as error:
        raise InvalidRequestError(f"jwk: {error.detail}") from None
    required = client.signing_alg
    if required is not None and required not in [each.name for each in key.algorithms]:
        raise InvalidRequestError(f"jwk: the client's assertions are signed with {required}")
    if key.thumbprint in client.revoked_keys:
        raise InvalidRequestError("jwk: this key has been revoked")
    known = keys_of(client).keys
    if any(each.thumbprint == key.thumbprint for each in known):
        raise InvalidRequestError("jwk: the client has this key already")
    if any(each.is_called(key.kid) for each in known):
        raise InvalidRequestError(f"jwk: another key of the client has the kid {key.kid!r:.80}")
    return key


def key_named(jwk: object) -> str | None:
    """Return the thumbprint of a JWK; None if it is no usable public key, which a set skips as well."""
    try:
        return VerificationKey.from_jwk(jwk).thumbprint if isinstance(jwk, Mapping) else None
    except InvalidKeyError:
        return None


def thumbprints_of(client: Client) -> frozenset[str]:
    """Return the thumbprints of the client's registered keys, without revoked ones."""
    return frozenset(key.thumbprint for key in keys_of(client).keys) - client.revoked_keys.keys()


def certificate_of(client: Client) -> dict[str, str] | None:
    """Return the attributes with the client's certificate or public key; None if it has a JWK Set."""
    if keys_of(client).source != "certificate":
        return None
    return {name: client.attributes[name] for name in _OF_CERTIFICATE if name in client.attributes}


def with_next_key(client: Client, key: VerificationKey, *, instead_of: Collection[str] = ()) -> Client:
    """Return the client with a further public key, whose other keys become a JWK Set if they are none.
    ``instead_of``: thumbprints of keys that it replaces. Raises InvalidRequestError if the set is too
    long."""
    return _with_set(client, lambda members: [*_without(members, instead_of), key.stored_jwk])


def without_keys(client: Client, thumbprints: Collection[str]) -> Client:
    """Return the client without these registered keys."""
    return _with_set(client, lambda members: _without(members, thumbprints))


def restored(client: Client, keys: RotatedKeys) -> Client:
    """Return the client without the successors, and with its certificate if that is what it had before."""
    left = thumbprints_of(client) - set(keys.successors)
    if keys.certificate is None or left != set(keys.former or ()):
        return without_keys(client, keys.successors)
    cleared: dict[str, str | None] = dict.fromkeys(_OF_SET)
    return with_keys(client, cleared | dict(keys.certificate))


def _with_set(client: Client, edit: Callable[[list[Any]], list[Any]]) -> Client:
    keys = keys_of(client)
    if keys.source == "jwks":
        document = read_document(client.attributes.get(attributes.JWKS_STRING, "").encode())
    else:
        document = dict(keys.jwks or {"keys": []})
    members = document["keys"]
    assert isinstance(members, list), "the set was read before"  # noqa: S101 - keys_of has raised
    edited = json.dumps(document | {"keys": edit(members)}, separators=(",", ":"), ensure_ascii=False)
    return with_keys(client, inline_jwks_attributes(edited))


def _without(members: list[Any], thumbprints: Collection[str]) -> list[Any]:
    return [jwk for jwk in members if key_named(jwk) not in thumbprints]
