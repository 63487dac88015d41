"""The verifier inside a resource server: a node of the fleet, used by a function call."""

import msgspec
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from keyturn import (
    ResourceServerSettings,
    TokenRefusedError,
    Verifier,
    VerifierSettings,
    VerifierUnavailableError,
)
from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import RealmProjection, encode_projection, projection_value, realm_field
from tests.integration.resource_server.conftest import API, KEY, SECRET, token
from tests.testkit.dpop import proof
from tests.testkit.filled_redis import FLEET_KEY, Filling, client_of, projected_key
from tests.testkit.nodes import RunningNode, TestClock, assertion, eventually, secret_assertion


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
    """RFC 8705 section 3, RFC 9449 section 7.2: there is no proof of possession."""
    async with Verifier("acme", audience=API, settings=settings) as verifier:
        bound = assertion(KEY, "signer", "acme", aud=API, jti="bound", cnf=cnf)
        with pytest.raises(TokenRefusedError) as refused:
            await verifier.verify_client_token(bound)
        assert refused.value.reason == "possession_not_proved"
        await verifier.verify_client_token(assertion(KEY, "signer", "acme", aud=API, jti="bound"))


async def test_a_resource_server_needs_nothing_secret(settings: VerifierSettings) -> None:
    with pytest.raises(ConfigurationError, match="KEYTURN_LOG_VERIFICATION_KEYS"):
        ResourceServerSettings(log_verification_keys=None)
    assert settings.fleet_keys is None
    with pytest.raises(ConfigurationError, match="KEYTURN_FLEET_KEYS"):
        VerifierSettings()


async def test_what_a_client_signs_with_its_secret_needs_a_node(
    filling: Filling, realm: RealmProjection, node: RunningNode, settings: VerifierSettings
) -> None:
    secret = "s" * 40
    client = client_of(realm, "hmac", authenticator="client-secret-jwt", secret=secret)
    await filling.change(realm, client)
    signed = secret_assertion(secret, "hmac", "acme", aud=API)
    async with Verifier("acme", audience=API, settings=settings) as verifier:
        with pytest.raises(TokenRefusedError) as refused:
            await verifier.verify_client_token(signed)
        assert refused.value.reason == "shared_secret_not_held"
    # Settings of a former release continue to work.
    former = settings.model_copy(update={"fleet_keys": SecretStr(FLEET_KEY), "log_verification_keys": None})
    async with Verifier("acme", audience=API, settings=former) as verifier:
        assert (await verifier.verify_client_token(signed)).client_id == "hmac"


async def test_tokens_of_a_realm_that_somebody_wrote_to_redis_are_not_accepted(
    filling: Filling, realm: RealmProjection, node: RunningNode, redis: Redis, settings: VerifierSettings
) -> None:
    """The attacker gives the realm a new signing key, and signs a token that is valid in every other way."""
    his = SigningKey.generate()
    text = await token(node)
    claims = parse_compact(text).claims
    forged = msgspec.structs.replace(realm, signing_keys=(projected_key(his),))
    value = projection_value(filling.sequence + 1, encode_projection(forged))
    await redis.hset(Layout().projections(filling.epoch), realm_field("acme"), value)
    async with Verifier("acme", audience=API, settings=settings) as verifier:
        with pytest.raises(VerifierUnavailableError) as unavailable:
            await verifier.verify_access_token(his.sign_compact(his.header_segment("at+jwt"), claims))
        assert unavailable.value.reason == "unsigned"
