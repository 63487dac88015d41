"""What a realm's endpoints can do, as documents: OpenID Connect Discovery 1.0 and RFC 8414. Pure."""

from typing import Any, Final

from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES, SYMMETRIC_NAMES
from keyturn_verifier.node.states import RealmState

AUTHENTICATION_METHODS: Final = (
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
)
_ASSERTION_ALGORITHMS: Final = sorted(ASYMMETRIC_NAMES | SYMMETRIC_NAMES)


def describe(realm: RealmState) -> dict[str, Any]:
    """The realm's metadata.

    There is no user and so no authorization endpoint: the lists that the specifications require of it are
    there and empty. ``id_token_signing_alg_values_supported`` is required by OpenID Connect; what stands
    there is what the realm signs with.
    """
    urls = realm.urls
    return {
        "issuer": urls.issuer,
        "token_endpoint": urls.token,
        "introspection_endpoint": urls.introspection,
        "jwks_uri": urls.certs,
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(realm.algorithms),
        "token_endpoint_auth_methods_supported": list(AUTHENTICATION_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": _ASSERTION_ALGORITHMS,
        "introspection_endpoint_auth_methods_supported": list(AUTHENTICATION_METHODS),
        "introspection_endpoint_auth_signing_alg_values_supported": _ASSERTION_ALGORITHMS,
    }
