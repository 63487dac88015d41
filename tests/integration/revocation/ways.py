"""Ways to end something, what each ends, and why it spares the rest. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Tag = str
"""A place's key, use or kind."""
Table = Literal["credentials", "tokens", "clients", "realms"]

_NO_KEY = "a secret is not a key"
_NO_SECRET = "a key is not a secret"
_NOT_ITS_OWN = "the client has no credential of its own: an issuer states who it is"
_NO_ISSUER = "the client has a credential of its own"
_OTHER_SOURCE = "the client's keys come from another source; see the other column"
_BY_NAME = "the client authenticates by a name, not by its own keys"
_ISSUED = "an issued token is valid until it expires or is itself ended"
_SECRETS_SESSION = "a session is opened with the secret, and ends with it"
_NEW = "the client's credentials still get it new tokens; only tokens issued before end"
_PROVES = "the client can still authenticate; it only gets no tokens"
_EVERYTHING = ("grant", "caller", "own token", "token", "session")


@dataclass(frozen=True)
class Way:
    """``ends`` and ``spares``: by tag, the narrowest counts. ``of_realm``: one call ends everything in its
    realm."""

    key: str
    name: str
    table: Table
    ends: tuple[Tag, ...]
    spares: Mapping[Tag, str] = field(default_factory=dict)
    of_realm: bool = False


def _of_key(key: str, name: str, *ends: Tag) -> Way:
    spares = dict.fromkeys(("inline key", "certified key", "fetched key"), _OTHER_SOURCE)
    spares |= {"name": _BY_NAME, "secret": _NO_KEY, "token": _ISSUED, "session": _SECRETS_SESSION}
    spares["issued"] = _NOT_ITS_OWN
    left = {tag: reason for tag, reason in spares.items() if tag not in ends}
    return Way(key, name, "credentials", ends, left)


def _of_issuer(key: str, name: str) -> Way:
    own = ("secret", "inline key", "certified key", "fetched key", "name")
    spares = dict.fromkeys(own, _NO_ISSUER) | {"token": _ISSUED, "session": _SECRETS_SESSION}
    return Way(key, name, "credentials", ("issued",), spares)


_CLEARED: Final = {
    "secret": _NO_KEY,
    "inline key": _OTHER_SOURCE,
    "certified key": _OTHER_SOURCE,
    "name": _BY_NAME,
    "token": _ISSUED,
    "session": _SECRETS_SESSION,
}
_NOT_BEFORE: Final = {"grant": _NEW, "caller": _NEW}
_BY_ITSELF: Final = {
    "grant": _NEW,
    "caller": _NEW,
    "own token": "the client signed it itself; the server did not issue it",
    "session": "a session is not an access token",
}

WAYS: Final = (
    Way(
        "secret",
        "secret regenerated",
        "credentials",
        ("secret", "session"),
        {
            "inline key": _NO_SECRET,
            "certified key": _NO_SECRET,
            "fetched key": _NO_SECRET,
            "name": _NO_SECRET,
            "issued": _NOT_ITS_OWN,
            "token": _ISSUED,
        },
    ),
    Way(
        "rotated",
        "rotated secret revoked",
        "credentials",
        ("secret",),
        {
            "inline key": _NO_SECRET,
            "certified key": _NO_SECRET,
            "fetched key": _NO_SECRET,
            "name": _NO_SECRET,
            "issued": _NOT_ITS_OWN,
            "token": _ISSUED,
            "session": "a session already ends when its secret becomes the rotated one",
        },
    ),
    _of_key("key-inline", "inline key revoked by thumbprint", "inline key"),
    _of_key("key-cert", "certificate's key revoked by thumbprint", "certified key", "name"),
    _of_key("key-url", "JWKS URL's key revoked by thumbprint, still served", "fetched key"),
    _of_key("replaced", "certificate replaced", "certified key"),
    _of_key("set-replaced", "inline key set replaced", "inline key"),
    Way(
        "cleared",
        "key withdrawn, client's key sets cleared",
        "credentials",
        ("fetched key",),
        _CLEARED | {"issued": _NOT_ITS_OWN},
    ),
    Way(
        "all-cleared",
        "key withdrawn, realm's key sets cleared",
        "credentials",
        ("fetched key", "issued"),
        _CLEARED,
        of_realm=True,
    ),
    _of_issuer("issuer-disabled", "issuer disabled"),
    _of_issuer("issuer-deleted", "issuer deleted"),
    _of_issuer("issuer-key", "issuer's key revoked by thumbprint"),
    _of_issuer("issuer-cleared", "key withdrawn, issuer's keys reloaded"),
    _of_issuer("issuer-subject", "issuer's subject revoked"),
    Way("revoked", "token revoked (RFC 7009)", "tokens", ("token",), _BY_ITSELF),
    Way(
        "client-not-before",
        "`notBefore` of the client",
        "tokens",
        ("token", "own token", "session"),
        _NOT_BEFORE,
    ),
    Way(
        "realm-not-before",
        "`notBefore` of the realm",
        "tokens",
        ("token", "own token", "session"),
        _NOT_BEFORE,
        of_realm=True,
    ),
    Way(
        "realm-keys",
        "realm keys rotated with `revoke`",
        "tokens",
        ("token",),
        _BY_ITSELF | {"session": "sessions are not encrypted with keys of the realm"},
        of_realm=True,
    ),
    Way("disabled", "client disabled", "clients", _EVERYTHING),
    Way("deleted", "client deleted", "clients", _EVERYTHING),
    Way(
        "renamed",
        "client renamed",
        "clients",
        _EVERYTHING,
        {"jwt-issued": "its subject leads to the client, whatever that is called"},
    ),
    Way(
        "authenticator",
        "authenticator changed",
        "clients",
        ("grant", "caller", "own token", "session"),
        {"token": _ISSUED},
    ),
    Way(
        "no-account",
        "service account switched off",
        "clients",
        ("grant", "token", "session"),
        {"caller": _PROVES, "own token": _PROVES},
    ),
    Way("realm-disabled", "realm disabled", "realms", _EVERYTHING, of_realm=True),
    Way("realm-deleted", "realm deleted", "realms", _EVERYTHING, of_realm=True),
    Way("realm-renamed", "realm renamed", "realms", _EVERYTHING, of_realm=True),
)
