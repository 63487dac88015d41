"""The verifier inside a resource server: a member of the fleet, asked by a function call."""

import pytest

from keyturn import TokenRefusedError, Verifier, VerifierSettings, VerifierUnavailableError
from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import RealmProjection
from tests.integration.resource_server.conftest import API, KEY, SECRET, token
from tests.integration.verifier.filling import Filling, client_of
from tests.integration.verifier.nodes import RunningNode, TestClock, assertion, eventually
from tests.support.dpop import proof


async def test_it_joins_the_fleet_and_leaves_it(
    filling: Filling, node: RunningNode, settings: VerifierSettings
) -> None:
    async with Verifier("acme", audience=API, settings=settings) as verifier:
        assert await verifier.ready()
        assert (await filling.summary(filling.sequence)).nodes == 2
    assert (await filling.summary(filling.sequence)).nodes == 1


async def test_access_tokens_are_checked_for_audience_and_scopes(
    node: RunningNode, settings: VerifierSettings
) -> None:
    async with Verifier("acme", audience=API, settings=settings) as verifier:
        good = await verifier.verify_access_token(await token(node), scopes=["orders.read"])
        assert (good.client_id, good.claims["aud"]) == ("reader", API)
        for text, scopes, reason in (
            (await token(node, resource="https://other"), [], "wrong_audience"),
            (await token(node), ["orders.read", "orders.write"], "insufficient_scope"),
            (assertion(KEY, "signer", "acme", aud=API), [], "wrong_issuer"),
            ("x.y.z", [], "malformed"),
        ):
            with pytest.raises(TokenRefusedError) as refused:
                await verifier.verify_access_token(text, scopes=scopes)
            assert refused.value.reason == reason


async def test_a_deleted_client_is_refused_when_the_deletion_was_applied(
    filling: Filling, realm: RealmProjection, node: RunningNode, settings: VerifierSettings
) -> None:
    async with Verifier("acme", audience=API, settings=settings) as verifier:
        text = await token(node)
        await verifier.verify_access_token(text)
        sequence = await filling.delete(realm, client_of(realm, "reader", uuid="reader"))

        async def applied() -> bool:
            return (await filling.summary(sequence)).applied == 2

        await eventually(applied)
        with pytest.raises(TokenRefusedError) as refused:
            await verifier.verify_access_token(text)
        assert refused.value.reason == "unknown_client"


async def test_what_a_client_signed_is_accepted_once_in_the_fleet(
    node: RunningNode, settings: VerifierSettings
) -> None:
    async with Verifier("acme", audience=API, settings=settings) as verifier:
        signed = assertion(KEY, "signer", "acme", aud=API)
        assert (await verifier.verify_client_token(signed)).client_id == "signer"
        for text in (signed, await token(node), assertion(SigningKey.generate(), "signer", "acme", aud=API)):
            with pytest.raises(TokenRefusedError) as refused:
                await verifier.verify_client_token(text)
            assert refused.value.reason in ("replayed", "wrong_issuer", "unknown_kid")


async def test_without_a_lease_it_answers_nothing(node: RunningNode, settings: VerifierSettings) -> None:
    clock = TestClock()
    async with Verifier("acme", audience=API, settings=settings, clock=clock) as verifier:
        text = await token(node)
        clock.elapsed_ahead = 60
        with pytest.raises(VerifierUnavailableError) as unavailable:
            await verifier.verify_access_token(text)
        assert (unavailable.value.reason, unavailable.value.retry_after) == ("fenced", 1)


async def test_it_does_not_start_without_redis(
    redis_server: EmbeddedRedis, settings: VerifierSettings
) -> None:
    redis_server.kill()
    with pytest.raises(VerifierUnavailableError):
        async with Verifier("acme", audience=API, settings=settings, ready_seconds=0.3):
            pytest.fail("it is not ready")


async def test_a_token_bound_to_a_key_is_no_bearer_token(
    node: RunningNode, settings: VerifierSettings
) -> None:
    key = SigningKey.generate()
    form = {"client_id": "reader", "client_secret": SECRET, "resource": API}
    url = "https://id.example.test/realms/acme/protocol/openid-connect/token"
    answer = await node.token("acme", form, headers={"DPoP": proof(key, "POST", url)})
    assert answer.json()["token_type"] == "DPoP"
    async with Verifier("acme", audience=API, settings=settings) as verifier:
        with pytest.raises(TokenRefusedError):
            await verifier.verify_access_token(answer.json()["access_token"])


@pytest.mark.parametrize("cnf", [{"jkt": "a"}, {"x5t#S256": "a"}, {"kid": "a"}, {}])
async def test_what_a_client_signed_and_bound_is_no_bearer_token_and_is_not_used_up(
    cnf: dict[str, str], node: RunningNode, settings: VerifierSettings
) -> None:
    """RFC 8705 section 3, RFC 9449 section 7.2: nothing was shown to hold it to."""
    async with Verifier("acme", audience=API, settings=settings) as verifier:
        bound = assertion(KEY, "signer", "acme", aud=API, jti="bound", cnf=cnf)
        with pytest.raises(TokenRefusedError) as refused:
            await verifier.verify_client_token(bound)
        assert refused.value.reason == "possession_not_proved"
        await verifier.verify_client_token(assertion(KEY, "signer", "acme", aud=API, jti="bound"))
