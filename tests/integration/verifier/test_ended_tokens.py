"""Access tokens ended before they expire: by notBefore, disabling, and individual revocation."""

from typing import Any

import httpx
import jwt
import msgspec
import pytest

from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import ClientProjection, RealmProjection, token_digest
from tests.testkit.filled_redis import Filling, client_of
from tests.testkit.nodes import RunningNode, assertion, basic, eventually

SECRET = "a secret of the worker"
KEY = SigningKey.generate()
SIGNED = {"Accept": "application/token-introspection+jwt"}


@pytest.fixture
async def worker(filling: Filling, realm: RealmProjection) -> ClientProjection:
    client = client_of(realm, "worker", secret=SECRET)
    await filling.change(realm, client)
    return client


async def token_of(node: RunningNode) -> dict[str, Any]:
    answer = await node.token_by_secret("acme", "worker", SECRET)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def claims_of(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


async def judged(node: RunningNode, token: str) -> dict[str, Any]:
    """Return every endpoint's judgement of this token."""
    authorization = {"Authorization": basic("worker", SECRET)}
    introspect = "/realms/acme/protocol/openid-connect/token/introspect"
    plain = await node.http.post(introspect, data={"token": token}, headers=authorization)
    signed = await node.http.post(introspect, data={"token": token}, headers=authorization | SIGNED)
    verified = await node.http.post("/realms/acme/verify", json={"tokens": [token]}, headers=authorization)
    bearer = {"Authorization": f"Bearer {token}"}
    gate = await node.http.get("/realms/acme/forward-auth", headers=bearer)
    as_caller = await node.http.post(introspect, data={"token": "x"}, headers=bearer)
    [result] = verified.json()["results"]
    return {
        "introspection": plain.json()["active"],
        "signed introspection": claims_of(signed.text)["token_introspection"]["active"],
        "verify": result["active"],
        "forward-auth": gate.status_code == 204,
        "caller": as_caller.status_code == 200,
        "error": result.get("error"),
    }


ACCEPTED = {
    "introspection": True,
    "signed introspection": True,
    "verify": True,
    "forward-auth": True,
    "caller": True,
    "error": None,
}


def refused(code: str) -> dict[str, Any]:
    return {**dict.fromkeys(ACCEPTED, False), "error": code}


async def in_force(filling: Filling, sequence: int) -> None:
    async def is_safe() -> bool:
        return (await filling.summary(sequence)).safe

    await eventually(is_safe)


@pytest.mark.parametrize("whose", ["client", "realm"])
async def test_a_token_issued_before_not_before_is_accepted_nowhere(
    node: RunningNode, filling: Filling, realm: RealmProjection, worker: ClientProjection, whose: str
) -> None:
    answer = await token_of(node)
    token, issued = answer["access_token"], claims_of(answer["access_token"])["iat"]
    assert answer["not-before-policy"] == 0
    for not_before, expected in ((issued, ACCEPTED), (issued + 1, refused("token_ended"))):
        if whose == "client":
            sequence = await filling.change(realm, msgspec.structs.replace(worker, not_before=not_before))
        else:
            sequence = await filling.rotate(msgspec.structs.replace(realm, not_before=not_before))
        await in_force(filling, sequence)
        assert await judged(node, token) == expected
        assert (await token_of(node))["not-before-policy"] == not_before


async def test_the_later_not_before_of_client_and_realm_is_the_policy(
    node: RunningNode, filling: Filling, realm: RealmProjection, worker: ClientProjection
) -> None:
    await filling.rotate(msgspec.structs.replace(realm, not_before=7))
    await in_force(filling, await filling.change(realm, msgspec.structs.replace(worker, not_before=5)))
    assert (await token_of(node))["not-before-policy"] == 7


async def test_a_token_that_a_client_signed_itself_before_not_before_is_refused(
    node: RunningNode, filling: Filling, realm: RealmProjection, worker: ClientProjection
) -> None:
    signer = client_of(realm, "signer", key=KEY)
    await filling.change(realm, signer)
    token, undated = assertion(KEY, "signer", "acme"), assertion(KEY, "signer", "acme", iat=None)

    async def codes() -> list[str | None]:
        answer = await node.http.post(
            "/realms/acme/verify",
            json={"tokens": [token, undated]},
            headers={"Authorization": basic("worker", SECRET)},
        )
        return [result.get("error") for result in answer.json()["results"]]

    assert await codes() == [None, None]
    later = msgspec.structs.replace(signer, not_before=claims_of(token)["iat"] + 1)
    await in_force(filling, await filling.change(realm, later))
    assert await codes() == ["token_ended", "token_ended"]


@pytest.mark.parametrize("whose", ["client", "realm"])
async def test_tokens_of_an_ended_generation_do_not_come_back(
    node: RunningNode, filling: Filling, realm: RealmProjection, worker: ClientProjection, whose: str
) -> None:
    """Clocks do not matter: those of nodes and of the ending caller may differ."""
    token = (await token_of(node))["access_token"]
    assert "generation" not in claims_of(token)
    node.clock.ahead = -10.0
    if whose == "client":
        sequence = await filling.change(realm, msgspec.structs.replace(worker, token_generation=1))
    else:
        sequence = await filling.rotate(msgspec.structs.replace(realm, token_generation=1))
    await in_force(filling, sequence)
    assert await judged(node, token) == refused("token_ended")
    fresh = (await token_of(node))["access_token"]
    assert claims_of(fresh)["generation"] == 1
    assert await judged(node, fresh) == ACCEPTED


async def test_a_revoked_token_is_accepted_nowhere_and_its_clients_others_are(
    node: RunningNode, filling: Filling, realm: RealmProjection, worker: ClientProjection
) -> None:
    revoked, other = [(await token_of(node))["access_token"] for _ in range(2)]
    claims = claims_of(revoked)
    after = msgspec.structs.replace(worker, revoked_tokens={token_digest(claims["jti"]): claims["exp"]})
    await in_force(filling, await filling.change(realm, after))
    assert await judged(node, revoked) == refused("token_revoked")
    assert await judged(node, other) == ACCEPTED


async def test_a_client_gets_tokens_of_the_type_it_asked_for_and_no_others_are_taken_from_it(
    node: RunningNode, filling: Filling, realm: RealmProjection, worker: ClientProjection
) -> None:
    usual = (await token_of(node))["access_token"]
    assert jwt.get_unverified_header(usual)["typ"] == "at+jwt"
    await in_force(
        filling, await filling.change(realm, msgspec.structs.replace(worker, plain_token_type=True))
    )
    plain = (await token_of(node))["access_token"]
    assert jwt.get_unverified_header(plain)["typ"] == "JWT"
    assert await judged(node, plain) == ACCEPTED
    assert await judged(node, usual) == ACCEPTED  # it was valid when it was issued
    await in_force(filling, await filling.change(realm, worker))
    assert await judged(node, plain) == refused("malformed")


async def test_no_token_is_issued_under_an_algorithm_that_the_client_does_not_allow(
    node: RunningNode, filling: Filling, realm: RealmProjection, worker: ClientProjection
) -> None:
    for alg, status in (("ES256", 200), ("RS256", 400)):
        changed = msgspec.structs.replace(worker, access_token_alg=alg)
        await in_force(filling, await filling.change(realm, changed))
        answer: httpx.Response = await node.token_by_secret("acme", "worker", SECRET)
        assert answer.status_code == status, answer.text
    assert answer.json()["error"] == "unauthorized_client"
    assert "RS256" in answer.json()["error_description"]
