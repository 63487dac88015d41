"""Content of a client's projection."""

import json

import pytest

from keyturn_credentials.domain.projection_builder import Projector
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.representation import client_from
from keyturn_credentials.operations.secret_issuer import SecretIssuer
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.realm_rings import FleetRing
from keyturn_shared.sealing import KeyRing

RING = KeyRing([b"e" * 32], purpose="encryption")
FLEET = FleetRing([b"f" * 32])
KEYS = {"use.jwks.string": "true", "jwks.string": json.dumps({"keys": [SigningKey.generate().public_jwk]})}
NAME = {"x509.subjectdn": "CN=worker"}


@pytest.mark.parametrize("kind", ["publicClient", "bearerOnly"])
@pytest.mark.parametrize(("authenticator", "attributes"), [("client-jwt", KEYS), ("client-x509", NAME)])
def test_public_and_bearer_only_clients_do_not_authenticate_by_what_they_still_have(
    kind: str, authenticator: str, attributes: dict[str, str]
) -> None:
    whole = {"clientId": "worker", "clientAuthenticatorType": authenticator, "attributes": attributes}
    projector = Projector(RING, FLEET)
    for is_one in (False, True):
        client = client_from({**whole, kind: is_one}, uuid="1", realm_id="2")
        projected = projector.project_client(Realm(id="2", name="acme"), client)
        assert projected.authenticator == ("client-secret" if is_one else authenticator)
        assert projected.secrets == ()


@pytest.mark.parametrize(
    ("realm", "roles", "is_told"),
    [("acme", "", True), ("acme", "view-clients", False), ("master", "", False), ("master", "admin", False)],
)
@pytest.mark.parametrize("authenticator", ["client-secret", "client-secret-jwt"])
def test_of_an_administrators_secrets_nodes_are_told_nothing(
    realm: str, roles: str, is_told: bool, authenticator: str
) -> None:
    whole = {
        "clientId": "worker",
        "clientAuthenticatorType": authenticator,
        "attributes": {"keyturn.admin.roles": roles},
    }
    of_realm = Realm(id="2", name=realm)
    given = client_from(whole, uuid="1", realm_id="2")
    client, _ = SecretIssuer(FLEET).give_first(given, of_realm, None, 0.0)
    projector = Projector(RING, FLEET)
    projected = projector.project_client(of_realm, client)
    assert bool(projected.secrets) == is_told
    assert projected.administers == (not is_told)
    assert len(projector.view_client(client).secrets) == 1, "the service itself has to check them"
