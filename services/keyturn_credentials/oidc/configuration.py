"""Configuration of the identity provider at which persons sign in to the console. Pure."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from keyturn_credentials.oidc.claim_path import ClaimPath
from keyturn_credentials.oidc.client_credential import ClientCredential
from keyturn_credentials.oidc.role_mapping import RoleMapping
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.network.addresses import Network
from keyturn_shared.network.refusal import FetchRefused
from keyturn_shared.network.target import read_target

CALLBACK_PATH: Final = "/console/oidc/callback"
MAX_ISSUER_CHARACTERS: Final = 255
MAX_CLIENT_ID_CHARACTERS: Final = 255
_CLIENT_ID: Final = re.compile(r"[ -~]{1,255}")
_SCOPE: Final = re.compile(r"[!#-\[\]-~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcConfiguration:
    """``name``: for the button. ``scope``: requested. ``groups``, ``name_claim``: paths in the claims.
    ``session_seconds``: the longest session, from the sign-in. ``networks``: private ones that the provider
    may be in."""

    issuer: str
    name: str
    client_id: str
    credential: ClientCredential
    scope: str
    groups: ClaimPath
    name_claim: ClaimPath
    roles: RoleMapping
    session_seconds: float
    redirect_uri: str
    networks: tuple[Network, ...] = ()

    @property
    def allows_http(self) -> bool:
        """Return whether the provider is reached over plain http, as its issuer says."""
        return self.issuer.startswith("http:")


def check_issuer(issuer: str, networks: tuple[Network, ...]) -> str:
    """Return an issuer (OpenID Connect Discovery section 3). Raises ConfigurationError."""
    try:
        target = read_target(issuer)
    except FetchRefused as refused:
        raise ConfigurationError(refused.detail) from None
    if urlsplit(issuer).query or len(issuer) > MAX_ISSUER_CHARACTERS:
        raise ConfigurationError(
            f"an issuer is a URL without a query, of at most {MAX_ISSUER_CHARACTERS} characters"
        )
    if target.scheme != "https" and not networks:
        raise ConfigurationError(
            "plain http is accepted only in the networks of KEYTURN_CONSOLE_OIDC_ALLOWED_NETWORKS"
        )
    return issuer


def check_client_id(client_id: str | None) -> str:
    """Return a client id (RFC 6749 appendix A.1). Raises ConfigurationError."""
    if not client_id:
        raise ConfigurationError("required, but not set")
    if not _CLIENT_ID.fullmatch(client_id):
        raise ConfigurationError("expected at most 255 printable ASCII characters")
    return client_id


def check_scope(text: str) -> str:
    """Return scopes separated by one space (RFC 6749 section 3.3). Raises ConfigurationError."""
    scopes = text.split()
    if "openid" not in scopes:
        raise ConfigurationError("openid is missing, without which there is no ID token")
    if not all(_SCOPE.fullmatch(scope) for scope in scopes):
        raise ConfigurationError("expected names separated by spaces")
    return " ".join(scopes)
