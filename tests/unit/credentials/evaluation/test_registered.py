"""A client is refused whatever it sends if none of its credentials can be accepted."""

from typing import Any

import pytest

from keyturn_credentials.evaluation.registered import require_credential
from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.projection import (
    ClientProjection,
    FederatedIdentity,
    ProjectedIssuer,
    ProjectedSecret,
    RealmProjection,
)

NOW = 1000.0
KEY, OTHER = (SigningKey.generate(kid=kid) for kid in ("first", "second"))
THUMBPRINT, OTHER_THUMBPRINT = (key.verification_key.thumbprint for key in (KEY, OTHER))
KEYS = {"keys": [KEY.public_jwk, OTHER.public_jwk]}
VALID, ENDING, ENDED = (ProjectedSecret(digest="d", not_after=at) for at in (None, NOW + 1, NOW))
SEALED = ProjectedSecret(digest="d", sealed="s")
CLUSTER = FederatedIdentity(alias="cluster", subject="orders")
ISSUERS = (
    ProjectedIssuer(id="1", alias="cluster", issuer="https://cluster", keys_url="https://cluster/keys"),
    ProjectedIssuer(id="2", alias="off", issuer="https://off", keys_url="https://off/keys", enabled=False),
)
REALM = RealmState(
    RealmProjection(id="acme-id", name="acme", trusted_issuers=ISSUERS), None, "https://id.example"
)


def require(authenticator: Any, **members: Any) -> None:
    client = ClientProjection(
        uuid="u", realm_id="acme-id", client_id="orders", authenticator=authenticator, **members
    )
    require_credential(REALM, client, NOW)


def _named(value: object) -> str:
    """Return a name without keys, which are random."""
    return "+".join(value) if isinstance(value, dict) else str(value)


@pytest.mark.parametrize(
    ("authenticator", "members"),
    [
        ("client-secret", {"secrets": (VALID,)}),
        ("client-secret", {"secrets": (ENDED, ENDING)}),
        ("client-secret-jwt", {"secrets": (SEALED,)}),
        ("client-jwt", {"jwks": KEYS, "revoked_thumbprints": frozenset({THUMBPRINT})}),
        ("client-jwt", {"jwks_url": "https://orders/keys"}),
        ("client-x509", {"x509_subject_dn": "CN=orders"}),
        ("client-x509", {"x509_self_signed": True, "jwks": KEYS}),
        ("federated-jwt", {"federated": CLUSTER}),
    ],
    ids=_named,
)
def test_one_credential_that_can_be_accepted_is_enough(authenticator: str, members: dict[str, Any]) -> None:
    require(authenticator, **members)


@pytest.mark.parametrize(
    ("authenticator", "members", "code"),
    [
        ("client-secret", {}, "wrong_secret"),
        ("client-secret", {"secrets": (ENDED, ENDED)}, "secret_expired"),
        ("client-secret-jwt", {"secrets": (VALID,)}, "wrong_secret"),
        ("client-jwt", {}, "unknown_kid"),
        (
            "client-jwt",
            {"jwks": KEYS, "revoked_thumbprints": frozenset({THUMBPRINT, OTHER_THUMBPRINT})},
            "key_revoked",
        ),
        ("client-x509", {"x509_self_signed": True}, "unknown_kid"),
        ("federated-jwt", {}, "wrong_issuer"),
        ("federated-jwt", {"federated": FederatedIdentity(alias="gone", subject="orders")}, "wrong_issuer"),
        ("federated-jwt", {"federated": FederatedIdentity(alias="off", subject="orders")}, "issuer_disabled"),
    ],
    ids=_named,
)
def test_a_client_without_any_is_refused(authenticator: str, members: dict[str, Any], code: str) -> None:
    with pytest.raises(KeyturnError) as refused:
        require(authenticator, **members)
    assert refused.value.code == code
