"""What a realm's endpoints can do, as documents: OpenID Connect Discovery 1.0 and RFC 8414. Pure."""

from dataclasses import dataclass
from typing import Any, Final

from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES, SYMMETRIC_NAMES
from keyturn_verifier.node.states import RealmState

_METHODS: Final = ("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt")
_ASSERTION_ALGORITHMS: Final = sorted(ASYMMETRIC_NAMES | SYMMETRIC_NAMES)
_CLAIMS: Final = ("iss", "sub", "aud", "exp", "iat", "jti", "client_id", "azp", "client_uuid", "scope", "cnf")


@dataclass(frozen=True, slots=True)
class CertificateAbilities:
    """What this node can do with clients' certificates. ``shown``: it gets to see them at all. ``chains``: it
    trusts authorities. ``untrusted``: it gets to see those of no authority, too."""

    shown: bool = False
    chains: bool = False
    untrusted: bool = False

    @property
    def methods(self) -> tuple[str, ...]:
        """RFC 8705 sections 2.1.1 and 2.2.1."""
        methods = []
        if self.shown and self.chains:
            methods.append("tls_client_auth")
        if self.shown and self.untrusted:
            methods.append("self_signed_tls_client_auth")
        return tuple(methods)


def describe(realm: RealmState, certificates: CertificateAbilities) -> dict[str, Any]:
    """The realm's metadata: RFC 8414, RFC 8705, RFC 9449, RFC 9701.

    There is no user and so no authorization endpoint: the lists that the specifications require of it are
    there and empty. ``id_token_signing_alg_values_supported`` is required by OpenID Connect; what stands
    there is what the realm signs with.
    """
    urls = realm.urls
    methods = [*_METHODS, *certificates.methods]
    document = {
        "issuer": urls.issuer,
        "token_endpoint": urls.token,
        "introspection_endpoint": urls.introspection,
        "jwks_uri": urls.certs,
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(realm.algorithms),
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": _ASSERTION_ALGORITHMS,
        "introspection_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_signing_alg_values_supported": _ASSERTION_ALGORITHMS,
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
        }
    return document
