"""A client: Keycloak's ClientRepresentation as a value, with what keyturn understands of it as properties."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.certificate_subject import check_certificate_subject
from keyturn_credentials.domain.roles import Role, roles_of
from keyturn_credentials.domain.secrets import ClientSecrets, RotationPolicy
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES, SYMMETRIC_NAMES
from keyturn_shared.projection import LONGEST_NAME, Authenticator, SecretTransport

AUTHENTICATORS: Final[tuple[Authenticator, ...]] = get_args(Authenticator)
DEFAULT_AUTHENTICATOR: Final[Authenticator] = "client-secret"
MAX_ASSERTION_LIFETIME: Final = 3600
MAX_TOKEN_LIFESPAN: Final = 86_400


@dataclass(frozen=True, slots=True)
class Client:
    """``document``: the fields of ClientRepresentation that have no column of their own, kept as given.

    ``version`` counts changes (the ETag). ``keys_not_before``: sequence of the last clearing of its key
    cache. ``revoked_keys``: RFC 7638 thumbprint to NumericDate seconds of revocation; it only grows.
    """

    uuid: str
    realm_id: str
    client_id: str
    enabled: bool = True
    authenticator: Authenticator = DEFAULT_AUTHENTICATOR
    attributes: Mapping[str, str] = field(default_factory=dict)
    document: Mapping[str, Any] = field(default_factory=dict)
    secrets: ClientSecrets = field(default_factory=ClientSecrets)
    revoked_keys: Mapping[str, float] = field(default_factory=dict)
    keys_not_before: int = 0
    version: int = 1

    @property
    def is_confidential(self) -> bool:
        """Whether it authenticates at all: public and bearer-only clients do not."""
        return is_confidential(self.document)

    @property
    def service_accounts_enabled(self) -> bool:
        """Whether it may ask for tokens of its own; as nearly all clients here do, unless told otherwise."""
        return has_service_account(self.document)

    @property
    def secret_transport(self) -> SecretTransport:
        match self.attributes.get(attributes.SECRET_TRANSPORT, "").strip():
            case "" | "any":
                return "any"
            case "basic" | "client_secret_basic":
                return "basic"
            case "post" | "client_secret_post":
                return "post"
            case _:
                raise InvalidRequestError(
                    f"{attributes.SECRET_TRANSPORT} is client_secret_basic or client_secret_post"
                )

    @property
    def signing_alg(self) -> str | None:
        """The only algorithm its assertions may use; Keycloak's ``any`` is None."""
        alg = self.attributes.get(attributes.SIGNING_ALG, "").strip()
        return None if alg in ("", "any") else alg

    @property
    def max_assertion_lifetime(self) -> int | None:
        return _number(self.attributes, attributes.SIGNING_MAX_EXP, MAX_ASSERTION_LIFETIME)

    @property
    def access_token_lifespan(self) -> int | None:
        return _number(self.attributes, attributes.ACCESS_TOKEN_LIFESPAN, MAX_TOKEN_LIFESPAN)

    @property
    def admin_roles(self) -> frozenset[Role]:
        return roles_of(self.attributes)

    @property
    def jwks_url(self) -> str | None:
        """Where it publishes its keys. Keycloak lets it be relative to ``rootUrl``."""
        if not attributes.is_true(self.attributes, attributes.USE_JWKS_URL):
            return None
        url = self.attributes.get(attributes.JWKS_URL, "").strip()
        if url.startswith("/"):
            url = str(self.document.get("rootUrl") or "").rstrip("/") + url
        return url or None


def is_confidential(document: Mapping[str, Any]) -> bool:
    return not (document.get("publicClient") or document.get("bearerOnly"))


def has_service_account(document: Mapping[str, Any]) -> bool:
    return is_confidential(document) and document.get("serviceAccountsEnabled") is not False


KeySource = Literal["certificate", "jwks", "jwks_url"]


def check_client(client: Client) -> Client:
    """The client itself. Raises InvalidRequestError for what no client may be."""
    identifier = client.client_id
    if not 0 < len(identifier) <= LONGEST_NAME:
        raise InvalidRequestError(f"clientId has 1 to {LONGEST_NAME} characters")
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in identifier):
        raise InvalidRequestError("clientId has a control character")
    if client.signing_alg is not None:
        _check_signing_alg(client.authenticator, client.signing_alg)
    if client.authenticator == "client-x509":
        check_certificate_subject(client.attributes)
    # Reading each of them is the check.
    _ = (
        RotationPolicy.from_attributes(client.attributes, {}),
        client.secret_transport,
        client.max_assertion_lifetime,
        client.access_token_lifespan,
        client.admin_roles,
    )
    return client


def _check_signing_alg(authenticator: Authenticator, alg: str) -> None:
    allowed = SYMMETRIC_NAMES if authenticator == "client-secret-jwt" else ASYMMETRIC_NAMES
    if alg not in ASYMMETRIC_NAMES | SYMMETRIC_NAMES:
        raise InvalidRequestError(f"{attributes.SIGNING_ALG}: {alg!r} is not a known algorithm")
    if authenticator in ("client-jwt", "client-secret-jwt") and alg not in allowed:
        raise InvalidRequestError(f"{attributes.SIGNING_ALG}: {alg} does not go with {authenticator}")


def _number(source: Mapping[str, str], name: str, most: int) -> int | None:
    text = source.get(name, "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 0 < int(text) <= most:
        raise InvalidRequestError(f"{name} is 1 to {most} seconds")
    return int(text)
