"""Places that grant access, and the credentials presented to each. Data only."""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["secret", "inline key", "certified key", "fetched key", "name", "issued", "token", "session"]
"""The credential: ``certified`` keys come from the client's certificate, ``fetched`` ones from its JWKS URL,
``name`` is a certificate that an authority issued for the client's name, ``issued`` the assertion of a
trusted issuer about the client's subject."""
Use = Literal["grant", "caller", "own token", "token", "session"]
"""The purpose: a new access token, a question about others' tokens, a message signed by the client, an access
token, or a session of the console."""


@dataclass(frozen=True)
class Place:
    """``administers``: its clients are administrators, whom only the credentials service judges."""

    key: str
    name: str
    kind: Kind
    use: Use
    administers: bool = False


PLACES: Final = (
    Place("basic", "token endpoint, `client_secret_basic`", "secret", "grant"),
    Place("post", "token endpoint, `client_secret_post`", "secret", "grant"),
    Place("secret-jwt", "token endpoint, `client_secret_jwt`", "secret", "grant"),
    Place("jwt-inline", "token endpoint, `private_key_jwt`, inline key set", "inline key", "grant"),
    Place("jwt-cert", "token endpoint, `private_key_jwt`, certificate", "certified key", "grant"),
    Place("jwt-url", "token endpoint, `private_key_jwt`, JWKS URL", "fetched key", "grant"),
    Place("jwt-issued", "token endpoint, assertion of a trusted issuer", "issued", "grant"),
    Place("tls-name", "token endpoint, `tls_client_auth`", "name", "grant"),
    Place(
        "tls-inline", "token endpoint, `self_signed_tls_client_auth`, inline key set", "inline key", "grant"
    ),
    Place("tls-cert", "token endpoint, `self_signed_tls_client_auth`, certificate", "certified key", "grant"),
    Place("tls-url", "token endpoint, `self_signed_tls_client_auth`, JWKS URL", "fetched key", "grant"),
    Place("admin-basic", "token endpoint, administrator's secret", "secret", "grant", True),
    Place("admin-inline", "token endpoint, administrator's inline key", "inline key", "grant", True),
    Place("admin-url", "token endpoint, administrator's JWKS URL", "fetched key", "grant", True),
    Place("ask-basic", "introspection, its caller by secret", "secret", "caller"),
    Place("ask-jwt", "`/verify`, its caller by a key from a JWKS URL", "fetched key", "caller"),
    Place("ask-token", "introspection, its caller by access token", "token", "token"),
    Place("introspect", "introspection of an access token", "token", "token"),
    Place("introspect-jwt", "introspection of an access token, signed (RFC 9701)", "token", "token"),
    Place("verify", "`/verify` of an access token", "token", "token"),
    Place("verify-inline", "`/verify` of what a client signed, inline key set", "inline key", "own token"),
    Place("verify-cert", "`/verify` of what a client signed, certificate", "certified key", "own token"),
    Place("verify-url", "`/verify` of what a client signed, JWKS URL", "fetched key", "own token"),
    Place("verify-secret", "`/verify` of what a client signed by its secret", "secret", "own token"),
    Place("gate", "forward-auth, access token", "token", "token"),
    Place("gate-url", "forward-auth, what a client signed, JWKS URL", "fetched key", "own token"),
    Place("library", "`keyturn.Verifier`, access token", "token", "token"),
    Place("library-url", "`keyturn.Verifier`, what a client signed, JWKS URL", "fetched key", "own token"),
    Place("admin-api", "admin API, access token", "token", "token", True),
    Place("stream", "event stream, access token", "token", "token", True),
    Place("console", "console session", "session", "session", True),
    Place("console-stream", "event stream of a console session", "session", "session", True),
)
