"""Administrators' settings for each client authenticator (``keyturn_shared.client_authenticators``). Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from keyturn_credentials.domain.certificate_subject import check_certificate_subject
from keyturn_credentials.domain.federated_identity import check_federated_identity
from keyturn_shared.client_authenticators import CLIENT_AUTHENTICATORS, AuthenticatorId

AUTHENTICATORS: Final[tuple[AuthenticatorId, ...]] = tuple(CLIENT_AUTHENTICATORS)
DEFAULT_AUTHENTICATOR: Final[AuthenticatorId] = "client-secret"

Adapter = dict[str, Any]


def _check_nothing(attributes: Mapping[str, str]) -> None:
    """Accept all attributes of an authenticator that has no rules across attributes."""


def _show_nothing(secret: str | None, alg: str | None) -> Adapter:
    """Return no credentials: only the client knows where its key is stored."""
    return {}


@dataclass(frozen=True, slots=True)
class AuthenticatorRules:
    """``check``: raises InvalidRequestError for attributes that no client could use. ``adapter``: the
    ``credentials`` of Keycloak's adapter file, from the displayed secret and the only algorithm."""

    check: Callable[[Mapping[str, str]], None] = _check_nothing
    adapter: Callable[[str | None, str | None], Adapter] = _show_nothing


def _show_secret(secret: str | None, alg: str | None) -> Adapter:
    return {} if secret is None else {"secret": secret}


def _show_signing_secret(secret: str | None, alg: str | None) -> Adapter:
    return {} if secret is None else {"secret-jwt": {"secret": secret, "algorithm": alg or "HS256"}}


RULES: Final[Mapping[AuthenticatorId, AuthenticatorRules]] = {
    "client-secret": AuthenticatorRules(adapter=_show_secret),
    "client-jwt": AuthenticatorRules(adapter=lambda secret, alg: {"jwt": {}}),
    "client-secret-jwt": AuthenticatorRules(adapter=_show_signing_secret),
    "client-x509": AuthenticatorRules(check=check_certificate_subject),
    "federated-jwt": AuthenticatorRules(check=check_federated_identity),
}
