"""Metadata documents of a realm's endpoints: OpenID Connect Discovery 1.0 and RFC 8414. Pure."""

import itertools
from dataclasses import dataclass
from typing import Any, Final

from keyturn_shared.client_authenticators import AUTHENTICATION_METHODS, CLIENT_X509
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES, SYMMETRIC_NAMES
from keyturn_shared.oauth.entities import RealmState

_METHODS: Final = tuple(name for name in AUTHENTICATION_METHODS if name not in CLIENT_X509.methods)
_ASSERTION_ALGORITHMS: Final = sorted(ASYMMETRIC_NAMES | SYMMETRIC_NAMES)
_CLAIMS: Final = (
    *("iss", "sub", "aud", "exp", "iat", "jti", "scope", "cnf"),
    *("client_id", "azp", "client_uuid", "generation"),
    *("typ", "acr", "preferred_username"),
)


@dataclass(frozen=True, slots=True)
class CertificateCapabilities:
    """Capabilities of a process with client certificates. ``shown``: it sees them at all. ``chains``: it
    trusts authorities. ``untrusted``: it also sees those that no authority issued."""

    shown: bool = False
    chains: bool = False
    untrusted: bool = False

    @property
    def methods(self) -> tuple[str, ...]:
        """Methods of RFC 8705 sections 2.1.1 and 2.2.1."""
        able = (self.shown and self.chains, self.shown and self.untrusted)
        return tuple(itertools.compress(CLIENT_X509.methods, able))


def describe(realm: RealmState, certificates: CertificateCapabilities) -> dict[str, Any]:
    """Build the realm's metadata: RFC 8414, RFC 8705, RFC 9449, RFC 9701.

    There are no users and so no authorization endpoint: lists that the specifications require for it are
    empty. OpenID Connect requires ``id_token_signing_alg_values_supported``; it contains the realm's signing
    algorithms.
    """
    urls = realm.urls
    methods = [*_METHODS, *certificates.methods]
    document = {
        "issuer": urls.issuer,
        "token_endpoint": urls.token,
        "introspection_endpoint": urls.introspection,
        "revocation_endpoint": urls.revocation,
        "jwks_uri": urls.certs,
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(realm.algorithms),
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": _ASSERTION_ALGORITHMS,
        "introspection_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_signing_alg_values_supported": _ASSERTION_ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": _ASSERTION_ALGORITHMS,
        "introspection_signing_alg_values_supported": list(realm.algorithms),
        "claims_supported": list(_CLAIMS),
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "tls_client_certificate_bound_access_tokens": certificates.shown,
        "dpop_signing_alg_values_supported": sorted(ASYMMETRIC_NAMES),
    }
    if realm.mtls_urls is not None and certificates.shown:
        document["mtls_endpoint_aliases"] = {
            "token_endpoint": realm.mtls_urls.token,
            "introspection_endpoint": realm.mtls_urls.introspection,
            "revocation_endpoint": realm.mtls_urls.revocation,
        }
    return document
