"""Client authenticators (RFC 6749 section 2.3): the facts about each that both services need.

Each authenticator also has a verifier (``keyturn_shared.oauth.client_authentication.registry``), rules for
its attributes (``keyturn_credentials.domain.authenticators``) and a line in the console.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES, SYMMETRIC_NAMES

AuthenticatorId = Literal["client-secret", "client-jwt", "client-secret-jwt", "client-x509", "federated-jwt"]
"""Keycloak's provider ids, the values of ``clientAuthenticatorType``."""

Credential = Literal["secret", "keys", "certificate", "issuer"]
"""``issuer``: the client has no credential of its own; an issuer that its realm trusts states who it is."""


@dataclass(frozen=True, slots=True)
class ClientAuthenticator:
    """One authenticator. ``methods``: OAuth's names (``token_endpoint_auth_methods_supported``).

    ``credential``: the kind of credential it uses. ``algorithms``: of its assertions; empty if it sends none.
    """

    id: AuthenticatorId
    methods: tuple[str, ...]
    credential: Credential
    algorithms: frozenset[str] = frozenset()

    @property
    def needs_secret(self) -> bool:
        return self.credential == "secret"

    @property
    def signs_with_secret(self) -> bool:
        """True if verifiers need the secret itself, because a digest cannot verify a MAC."""
        return self.needs_secret and self.sends_assertions

    @property
    def sends_assertions(self) -> bool:
        """True if the client authenticates with a signed assertion (RFC 7523 section 2.2)."""
        return bool(self.algorithms)

    @property
    def signs(self) -> bool:
        """True if the client signs its assertions itself."""
        return self.sends_assertions and self.credential != "issuer"


CLIENT_SECRET: Final = ClientAuthenticator(
    "client-secret", ("client_secret_basic", "client_secret_post"), "secret"
)
CLIENT_SECRET_JWT: Final = ClientAuthenticator(
    "client-secret-jwt", ("client_secret_jwt",), "secret", SYMMETRIC_NAMES
)
CLIENT_JWT: Final = ClientAuthenticator("client-jwt", ("private_key_jwt",), "keys", ASYMMETRIC_NAMES)
CLIENT_X509: Final = ClientAuthenticator(
    "client-x509", ("tls_client_auth", "self_signed_tls_client_auth"), "certificate"
)
FEDERATED_JWT: Final = ClientAuthenticator("federated-jwt", ("private_key_jwt",), "issuer", ASYMMETRIC_NAMES)

CLIENT_AUTHENTICATORS: Final[Mapping[AuthenticatorId, ClientAuthenticator]] = {
    each.id: each for each in (CLIENT_SECRET, CLIENT_JWT, CLIENT_SECRET_JWT, CLIENT_X509, FEDERATED_JWT)
}
_BY_CREDENTIAL: Final = sorted(CLIENT_AUTHENTICATORS.values(), key=lambda each: not each.needs_secret)
AUTHENTICATION_METHODS: Final = tuple(
    dict.fromkeys(method for each in _BY_CREDENTIAL for method in each.methods)
)
"""All of OAuth's names, each once; those that use a secret come first."""
