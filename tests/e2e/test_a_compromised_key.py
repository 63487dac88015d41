"""Nodes refuse a key that somebody else has once the call has returned that says so, and no other one."""

import json
from typing import Any

import httpx

from keyturn import ClientCredentials, ClientKeys, SigningKey
from keyturn_shared.jose.jwk import VerificationKey
from tests.testkit.certificates import make_authority
from tests.testkit.http_receiver import Answer, Receiver
from tests.testkit.local_stack import Admin, RunningStack, eventually, token_url


def statuses(stack: RunningStack, admin: Admin, client_id: str, key: SigningKey) -> set[int]:
    """Return the answers of all nodes to token requests that this key has signed."""
    issuer, found = stack.issuer(admin.realm), set()
    for url in stack.node_urls:
        endpoint = token_url(url, admin.realm)
        credentials = ClientCredentials(issuer, client_id, ClientKeys(key), token_endpoint=endpoint)
        with httpx.Client(trust_env=False, timeout=30) as http:
            found.add(http.send(credentials.token_request(), auth=None).status_code)
    return found


def rotate(admin: Admin, uuid: str, **body: Any) -> None:
    answer = admin.call("POST", f"/clients/{uuid}/rotations", json={"kind": "key", **body})
    assert answer.status_code == 201, answer.text


def test_every_node_refuses_all_that_the_client_had(stack: RunningStack, admin: Admin) -> None:
    former, pending, new = (SigningKey.generate("ES256") for _ in range(3))
    attributes = {"use.jwks.string": "true", "jwks.string": json.dumps({"keys": [former.public_jwk]})}
    uuid = admin.make_client("robbed", clientAuthenticatorType="client-jwt", attributes=attributes)
    rotate(admin, uuid, jwk=pending.public_jwk)
    assert [statuses(stack, admin, "robbed", key) for key in (former, pending)] == [{200}, {200}]
    rotate(admin, uuid, jwk=new.public_jwk, reason="compromised")
    answers = [statuses(stack, admin, "robbed", key) for key in (former, pending, new)]
    assert answers == [{401}, {401}, {200}]


def test_every_node_refuses_what_the_client_still_publishes(stack: RunningStack, admin: Admin) -> None:
    former, new = (SigningKey.generate("ES256") for _ in range(2))
    published = [former.public_jwk]
    with Receiver(lambda _: Answer(200, {"keys": published})) as server:
        attributes = {"use.jwks.url": "true", "jwks.url": f"{server.url}/k_jwks"}
        uuid = admin.make_client("publishes", clientAuthenticatorType="client-jwt", attributes=attributes)
        assert statuses(stack, admin, "publishes", former) == {200}
        rotate(admin, uuid, reason="compromised")
        assert statuses(stack, admin, "publishes", former) == {401}
        published.append(new.public_jwk)
        eventually(lambda: statuses(stack, admin, "publishes", new) == {200})
        assert statuses(stack, admin, "publishes", former) == {401}


def test_an_adapter_of_keycloak_is_not_refused_while_its_next_key_is_registered(
    stack: RunningStack, admin: Admin
) -> None:
    made = make_authority()
    former, new = SigningKey(made.key, "ES256"), SigningKey.generate("ES256")
    (of_keycloak,) = VerificationKey.from_public_key(made.key.public_key()).other_kids
    attributes = {"jwt.credential.certificate": made.pem.decode()}
    uuid = admin.make_client("adapter", clientAuthenticatorType="client-jwt", attributes=attributes)
    keys = (former.renamed(of_keycloak), former)
    assert [statuses(stack, admin, "adapter", key) for key in keys] == [{200}, {200}]
    rotate(admin, uuid, jwk=new.public_jwk)
    assert [statuses(stack, admin, "adapter", key) for key in (*keys, new)] == [{200}, {200}, {200}]
