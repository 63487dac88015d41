"""What verifiers get to know of a client."""

import json

import pytest

from keyturn_credentials.domain.projecting import Projector
from keyturn_credentials.domain.representation import client_from
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.sealing import KeyRing

RING = KeyRing([b"e" * 32], purpose="encryption")
KEYS = {"use.jwks.string": "true", "jwks.string": json.dumps({"keys": [SigningKey.generate().public_jwk]})}
NAME = {"x509.subjectdn": "CN=worker"}


@pytest.mark.parametrize("kind", ["publicClient", "bearerOnly"])
@pytest.mark.parametrize(("authenticator", "attributes"), [("client-jwt", KEYS), ("client-x509", NAME)])
def test_public_and_bearer_only_clients_do_not_authenticate_by_what_they_still_have(
    kind: str, authenticator: str, attributes: dict[str, str]
) -> None:
    whole = {"clientId": "worker", "clientAuthenticatorType": authenticator, "attributes": attributes}
    projector = Projector(RING, RING)
    for is_one in (False, True):
        client = client_from({**whole, kind: is_one}, uuid="1", realm_id="2")
        projected = projector.project_client(client)
        assert projected.authenticator == ("client-secret" if is_one else authenticator)
        assert projected.secrets == ()
