"""An administrator that was locked out, and what it is after its recovery."""

from dataclasses import replace

import pytest

from keyturn_credentials.administrator_access import Trouble, find_trouble
from keyturn_credentials.domain.administrators import administers
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.secrets import ClientSecrets
from keyturn_credentials.operations.administrator_recovery import recovered
from keyturn_credentials.operations.secret_issuer import SecretIssuer
from keyturn_shared.realm_rings import FleetRing
from keyturn_shared.secret import Secret

NOW = 1000.0
REALM = Realm("master-id", "master")
SECRETS = SecretIssuer(FleetRing([b"f" * 32]))
OLD, NEW = Secret("o" * 40), Secret("n" * 40)
BARE = Client("uuid", REALM.id, "admin", attributes={"keyturn.admin.roles": "admin", "team": "a"})
ADMIN = replace(BARE, secrets=ClientSecrets(SECRETS.store(BARE, REALM, OLD, 1.0)))
LOCKED_OUT = {
    "is disabled": replace(ADMIN, enabled=False),
    "has no service account": replace(ADMIN, document={"serviceAccountsEnabled": False}),
    "has no admin role": replace(ADMIN, attributes={"team": "a"}),
    "does not sign in with a secret any more": replace(
        ADMIN,
        authenticator="client-jwt",
        attributes={**ADMIN.attributes, "token.endpoint.auth.signing.alg": "ES256"},
    ),
    "has another secret now": SECRETS.renew(ADMIN, REALM, Secret("x" * 40), NOW),
}


@pytest.mark.parametrize("trouble", LOCKED_OUT)
def test_whatever_locked_it_out_is_named_and_undone(trouble: str) -> None:
    found = find_trouble(LOCKED_OUT[trouble], SECRETS, OLD)
    assert found is not None
    assert found.text == trouble
    after = recovered(REALM, LOCKED_OUT[trouble], NEW, NOW, SECRETS)
    assert administers(after)
    assert find_trouble(after, SECRETS, NEW) is None
    assert after.attributes["team"] == "a"


def test_a_public_client_becomes_confidential() -> None:
    after = recovered(REALM, replace(ADMIN, document={"publicClient": True, "name": "a"}), NEW, NOW, SECRETS)
    assert administers(after)
    assert after.document["name"] == "a"


def test_an_administrator_that_is_gone_is_named() -> None:
    assert find_trouble(None, SECRETS, OLD) == Trouble("does not exist any more")
    assert find_trouble(ADMIN, SECRETS, OLD) is None


def test_the_former_secret_and_the_tokens_end() -> None:
    overlap = {"keyturn.secret.expiration-period": "100", "keyturn.secret.rotated-expiration-period": "50"}
    before = replace(ADMIN, attributes={**ADMIN.attributes, **overlap})
    after = recovered(REALM, before, NEW, NOW, SECRETS)
    assert after.secrets.rotated is None
    assert SECRETS.is_same(after, NEW)
    assert after.token_generation == before.token_generation + 1
