"""The provider's discovery document (OpenID Connect Discovery section 3; RFC 8414). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from keyturn_credentials.oidc.configuration import OidcConfiguration
from keyturn_credentials.oidc.errors import unavailable
from keyturn_shared.jose import strict_json
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES
from keyturn_shared.jose.errors import MalformedError
from keyturn_shared.network.refusal import FetchRefused
from keyturn_shared.network.target import read_target


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """``states_issuer``: responses have ``iss`` (RFC 9207 section 3). ``algorithms``: of ID and logout
    tokens."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    states_issuer: bool
    algorithms: frozenset[str]

    @classmethod
    def read(cls, body: bytes, configuration: OidcConfiguration) -> Self:
        """Parse the document of the configured provider. Raises SignInError for any other."""
        try:
            document = strict_json.decode_object(body, may_repeat=True)
        except MalformedError as error:
            raise unavailable(f"the discovery document is unusable: {error.detail}") from None
        if document.get("issuer") != configuration.issuer:
            raise unavailable(
                f"the discovery document is of issuer {str(document.get('issuer'))[:200]!r};"
                " KEYTURN_CONSOLE_OIDC_ISSUER must be exactly the same"
            )
        has_userinfo = document.get("userinfo_endpoint") is not None
        return cls(
            authorization_endpoint=_endpoint(document, "authorization_endpoint", configuration),
            token_endpoint=_endpoint(document, "token_endpoint", configuration),
            jwks_uri=_endpoint(document, "jwks_uri", configuration),
            userinfo_endpoint=_endpoint(document, "userinfo_endpoint", configuration)
            if has_userinfo
            else None,
            states_issuer=document.get("authorization_response_iss_parameter_supported") is True,
            algorithms=_algorithms(document),
        )


def _endpoint(document: Mapping[str, Any], name: str, configuration: OidcConfiguration) -> str:
    url = document.get(name)
    try:
        target = read_target(url if isinstance(url, str) else "")
    except FetchRefused as refused:
        raise unavailable(f"{name} of the discovery document: {refused.detail}") from None
    if target.scheme != "https" and not configuration.allows_http:
        raise unavailable(f"{name} of the discovery document is not https")
    return str(url)


def _algorithms(document: Mapping[str, Any]) -> frozenset[str]:
    """Return the asymmetric algorithms that the provider announces; if it announces none, all that keyturn
    accepts."""
    announced = document.get("id_token_signing_alg_values_supported")
    if not isinstance(announced, list):
        return ASYMMETRIC_NAMES
    return ASYMMETRIC_NAMES.intersection(name for name in announced if isinstance(name, str))
