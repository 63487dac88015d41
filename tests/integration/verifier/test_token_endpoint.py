"""The token endpoint with each authenticator."""

import jwt
import pytest
from jwt import PyJWKSet

from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import RealmProjection
from tests.testkit.filled_redis import Filling, client_of, projected_secret
from tests.testkit.nodes import (
    BASE_URL,
    RunningNode,
    assertion,
    basic,
    secret_assertion,
)

SECRET = "a secret of more than thirty-two octets: s3cr3t+/%="


async def test_basic_and_posted_secrets_are_accepted_with_form_encoding(
    node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    await filling.change(realm, client_of(realm, "a client:with +", secret=SECRET))
    by_basic = await node.token_by_secret("acme", "a client:with +", SECRET)
    posted = await node.token("acme", {"client_id": "a client:with +", "client_secret": SECRET})
    assert (by_basic.status_code, posted.status_code) == (200, 200)
    assert by_basic.headers["cache-control"] == "no-store"


async def test_an_access_token_is_an_rfc_9068_jwt_that_others_can_check(
    node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    worker = client_of(realm, "worker", secret=SECRET, default_scopes=("a", "b"), subject="an-id")
    await filling.change(realm, worker)
    answer = (await node.token_by_secret("acme", "worker", SECRET)).json()
    keys = PyJWKSet.from_dict((await node.http.get("/realms/acme/protocol/openid-connect/certs")).json())
    header = jwt.get_unverified_header(answer["access_token"])
    claims = jwt.decode(
        answer["access_token"],
        keys[header["kid"]],
        algorithms=["ES256"],
        audience=f"{BASE_URL}/realms/acme",
        issuer=f"{BASE_URL}/realms/acme",
        options={"require": ["exp", "iat", "jti", "sub"]},
    )
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    assert (claims["client_id"], claims["sub"], claims["scope"]) == ("worker", "an-id", "a b")
    assert (claims["typ"], claims["preferred_username"]) == ("Bearer", "service-account-worker")
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 300, "a b")


async def test_an_assertion_is_accepted_once_also_when_its_client_is_made_again_meanwhile(
    node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    """The same id and the same key: the assertion names both clients."""
    key = SigningKey.generate()
    former = client_of(realm, "worker", key=key)
    await filling.change(realm, former)
    signed = assertion(key, "worker", "acme")
    assert (await node.token_by_assertion("acme", signed)).status_code == 200
    await node.applied(await filling.delete(realm, former))
    assert (await node.token_by_assertion("acme", signed)).status_code == 401
    await node.applied(await filling.change(realm, client_of(realm, "worker", key=key)))
    assert (await node.token_by_assertion("acme", signed)).status_code == 401
    assert (
        await node.metric('keyturn_authentications_total{method="private_key_jwt",outcome="replayed"}') == 1
    )
    fresh = assertion(key, "worker", "acme")
    assert (await node.token_by_assertion("acme", fresh)).status_code == 200


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA"])
async def test_private_key_jwt_is_accepted_once(
    alg: str, node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    key = SigningKey.generate(alg)
    await filling.change(realm, client_of(realm, "worker", key=key))
    signed = assertion(key, "worker", "acme")
    first = await node.token_by_assertion("acme", signed)
    again = await node.token_by_assertion("acme", signed, client_id="worker")
    assert (first.status_code, again.status_code) == (200, 401)
    assert (
        await node.metric('keyturn_authentications_total{method="private_key_jwt",outcome="replayed"}') == 1
    )


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
async def test_client_secret_jwt_is_accepted(
    alg: str, node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    secret = SECRET + "and more octets"
    client = client_of(realm, "worker", secret=secret, authenticator="client-secret-jwt")
    await filling.change(realm, client)
    answer = await node.token_by_assertion("acme", secret_assertion(secret, "worker", "acme", alg))
    assert answer.status_code == 200


async def test_both_secrets_are_accepted_during_a_rotation_until_the_former_expires(
    node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    client = client_of(realm, "worker", uuid="w")
    now = node.clock.now()
    rotated = client_of(
        realm,
        "worker",
        uuid="w",
        secrets=(projected_secret("w", "new"), projected_secret("w", "old", not_after=now + 30)),
    )
    await filling.change(realm, client)
    await filling.change(realm, rotated)
    assert (await node.token_by_secret("acme", "worker", "new")).status_code == 200
    assert (await node.token_by_secret("acme", "worker", "old")).status_code == 200
    node.clock.ahead = 31
    assert (await node.token_by_secret("acme", "worker", "new")).status_code == 200
    assert (await node.token_by_secret("acme", "worker", "old")).status_code == 401
    assert (
        await node.metric(
            'keyturn_authentications_total{method="client_secret_basic",outcome="secret_expired"}'
        )
        == 1
    )


async def test_unknown_client_and_wrong_secret_get_the_same_answer(
    node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    await filling.change(realm, client_of(realm, "worker", secret=SECRET))
    await filling.change(realm, client_of(realm, "disabled", secret=SECRET, enabled=False))
    await filling.change(realm, client_of(realm, "signer", key=SigningKey.generate()))
    answers = [
        await node.token_by_secret("acme", "worker", "wrong"),
        await node.token_by_secret("acme", "nobody", SECRET),
        await node.token_by_secret("acme", "disabled", SECRET),
        await node.token_by_secret("acme", "signer", SECRET),
    ]
    assert {(each.status_code, each.text) for each in answers} == {
        (
            401,
            '{"error":"invalid_client","error_description":"Invalid client or Invalid client credentials"}',
        )
    }
    assert {each.headers["www-authenticate"] for each in answers} == {'Basic realm="acme"'}
    for code in ("wrong_secret", "unknown_client", "client_disabled", "authenticator_mismatch"):
        line = f'keyturn_authentications_total{{method="client_secret_basic",outcome="{code}"}}'
        assert await node.metric(line) == 1, code


@pytest.mark.parametrize(
    ("changes", "form", "error"),
    [
        ({}, {"grant_type": "password"}, "unsupported_grant_type"),
        ({"service_accounts_enabled": False}, {}, "unauthorized_client"),
        ({"scopes": ("read",)}, {"scope": "read write"}, "invalid_scope"),
        ({"audiences": ("https://a",)}, {"resource": "https://b"}, "invalid_target"),
        ({}, {"client_secret": "also"}, "invalid_request"),
        ({}, {"client_id": "another"}, "invalid_request"),
    ],
)
async def test_what_a_client_may_not_have_is_refused_by_name(
    changes: dict[str, object],
    form: dict[str, str],
    error: str,
    node: RunningNode,
    filling: Filling,
    realm: RealmProjection,
) -> None:
    await filling.change(realm, client_of(realm, "worker", secret=SECRET, **changes))
    answer = await node.token("acme", form, headers={"Authorization": basic("worker", SECRET)})
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_scopes_and_audiences_are_granted_as_asked_within_what_the_client_has(
    node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    client = client_of(
        realm,
        "worker",
        secret=SECRET,
        scopes=("read", "write"),
        default_scopes=("basic",),
        audiences=("https://a", "https://b"),
    )
    await filling.change(realm, client)
    header = {"Authorization": basic("worker", SECRET)}
    all_of_it = (await node.token("acme", {}, headers=header)).json()
    some = (
        await node.token("acme", {"scope": "openid read", "resource": "https://b"}, headers=header)
    ).json()

    def claims(answer: dict[str, str]) -> dict[str, object]:
        decoded: dict[str, object] = jwt.decode(answer["access_token"], options={"verify_signature": False})
        return decoded

    assert (claims(all_of_it)["aud"], all_of_it["scope"]) == (["https://a", "https://b"], "basic")
    assert (claims(some)["aud"], some["scope"]) == ("https://b", "basic read")


async def test_a_realm_that_is_not_there_is_404(node: RunningNode) -> None:
    answer = await node.token_by_secret("nowhere", "worker", SECRET)
    assert (answer.status_code, answer.json()) == (404, {"error": "Realm does not exist"})
