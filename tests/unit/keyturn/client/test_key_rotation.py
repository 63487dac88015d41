"""A client's key over rotations by policy and on schedule."""

import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from keyturn import (
    ClientCredentials,
    ClientKeys,
    ClientSecret,
    NoTokenError,
    RotationError,
    SigningKey,
    follow_key_rotations,
    offer_new_key,
    rotate,
    rotate_on_schedule,
)
from tests.testkit.key_server import ISSUER, OVERLAP_SECONDS, KeyServer
from tests.unit.keyturn.client.external_key import ExternalKey
from tests.unit.keyturn.client.key_scene import EnoughError, Scene


async def test_without_a_rotation_nothing_is_offered() -> None:
    scene = Scene()
    assert await scene.offer() == 42
    assert (scene.keys.signing, scene.server.offered) == (scene.first, [])


async def test_a_registered_key_is_replaced_when_the_policy_wants_it() -> None:
    scene = Scene()
    scene.server.wants_key()
    assert await scene.offer() == 5
    new = scene.keys.signing
    assert scene.server.offered == [new.kid]
    assert scene.keys.answered == "r-1"
    assert await scene.offer() == 5
    assert scene.server.offered == [new.kid], "once for each rotation"
    scene.server.now += OVERLAP_SECONDS
    assert await scene.offer() == 42
    assert await scene.token() == f"token of {new.kid}"
    scene.server.now += 75
    assert [key["kid"] for key in scene.jwks()["keys"]] == [new.kid]


async def test_a_key_that_is_rolled_back_leads_back_to_the_former_one() -> None:
    scene = Scene()
    scene.server.wants_key()
    await scene.offer()
    scene.server.now += 3600
    scene.server._used_at = None  # it is paused in its overlap for an hour
    scene.server.roll_back()
    assert await scene.token() == f"token of {scene.first.kid}"
    assert scene.keys.signing.kid == scene.first.kid


async def test_a_look_that_is_refused_finds_the_valid_key() -> None:
    scene = Scene()
    other = SigningKey.generate()
    scene.keys.publish(other)
    scene.server.registered = {other.kid: other.public_jwk}
    assert await scene.offer() == 42
    assert scene.keys.signing.kid == other.kid


async def test_whoever_is_refused_with_every_key_is_told() -> None:
    scene = Scene()
    scene.server.registered = {}
    with pytest.raises(RotationError, match="401"):
        await scene.offer()
    with pytest.raises(NoTokenError):
        await scene.token()


async def test_a_new_key_that_is_not_accepted_yet_is_tried_until_it_is() -> None:
    scene = Scene()
    scene.server.wants_key()
    refused = [True] * 3

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token") and refused and refused.pop():
            return httpx.Response(401, json={"error": "invalid_client"})
        return scene.server(request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        await offer_new_key(scene.keys, scene.credentials, http, sleep=scene.sleep)
    assert scene.waited == [1.0, 1.0, 1.0]
    assert scene.keys.signing is not scene.first


async def test_a_paused_rotation_waits() -> None:
    scene = Scene()
    scene.server.wants_key()
    scene.server.paused = True
    await scene.offer()
    assert scene.server.offered == []


async def test_a_rotation_that_is_cancelled_withdraws_the_key_that_was_stored_for_it() -> None:
    scene = Scene()
    scene.keys.publish(SigningKey.generate())
    await scene.offer()
    assert scene.keys.pending is None


async def test_a_key_of_another_rotation_under_way_is_left_alone() -> None:
    scene = Scene()
    scene.keys.publish(SigningKey.generate())
    with scene.keys.rotating():
        await scene.offer()
        assert scene.keys.pending is not None
        scene.server.wants_key()
        with pytest.raises(RotationError):
            await scene.offer()


async def test_a_client_with_a_jwks_url_publishes_the_key_that_the_policy_wants() -> None:
    scene = Scene(jwks_url=True)
    scene.server.wants_key()
    await scene.offer()
    assert scene.waited == [11.0]
    new = scene.keys.signing.kid
    assert [key["kid"] for key in scene.jwks()["keys"]] == [new, scene.first.kid]
    scene.server.now += 75
    assert [key["kid"] for key in scene.jwks()["keys"]] == [new], "whether the rotation has ended or not"


async def test_a_key_in_a_kms_is_replaced_by_another_one() -> None:
    scene = Scene(ExternalKey("kms/1"))
    scene.server.wants_key()
    with pytest.raises(TypeError, match="name the next key"):
        await scene.offer()
    following = ExternalKey("kms/2")
    await scene.offer(new_key=lambda: following)
    assert (scene.keys.signing, await scene.token()) == (following, "token of kms/2")
    assert following.signatures == 3, "its proof, and a token each"


async def test_an_external_key_alone_is_a_credential() -> None:
    key = ExternalKey()
    server = KeyServer({**key.public_jwk, "kid": key.kid, "alg": "ES256"})
    async with server.http() as http:
        assert (await ClientCredentials(ISSUER, "worker", key).token(http)).text == "token of kms/1"


async def test_following_survives_a_server_that_is_away_and_backs_off() -> None:
    scene = Scene()
    scene.server.wants_key()
    scene.server.fails = [500, 502]
    scene.looks = 4
    async with scene.server.http() as http:
        with pytest.raises(EnoughError):
            await follow_key_rotations(scene.keys, scene.credentials, http, sleep=scene.sleep_until_enough)
    expected = (1, 2, 5, 5)
    assert all(most / 2 <= seconds <= most for seconds, most in zip(scene.waited, expected, strict=True))
    assert scene.keys.signing is not scene.first


@pytest.mark.parametrize(
    "body",
    [
        {"rotation": {"id": 5}, "interval": 5},
        {"rotation": {"id": ""}, "interval": 5},
        {"rotation": [], "interval": 5},
        {"interval": 5},
        [],
    ],
)
async def test_an_odd_response_changes_nothing(body: object) -> None:
    scene = Scene()
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=json.dumps(body)))
    async with httpx.AsyncClient(transport=transport) as http:
        with pytest.raises(RotationError):
            await offer_new_key(scene.keys, scene.credentials, http)
    assert scene.keys.pending is None


async def test_the_key_is_rotated_on_schedule_also_over_restarts(tmp_path: Path) -> None:
    state = tmp_path / "keys.json"
    scene = Scene(jwks_url=True, state=state)
    scene.server.now += 3000
    scene.keys = ClientKeys(scene.first, state=state, elapsed=scene.now, now=scene.now)
    scene.looks = 1
    async with scene.server.http() as http:

        async def follow() -> None:
            scene.waited.clear()
            credentials = ClientCredentials(ISSUER, "worker", scene.keys, now=scene.now)
            with pytest.raises(EnoughError):
                await rotate_on_schedule(
                    scene.keys, credentials, http, every=timedelta(hours=1), sleep=scene.sleep_until_enough
                )

        await follow()
        assert 540 <= scene.waited[0] <= 600
        scene.server.now += 60
        scene.looks = 2
        await follow()
        assert scene.waited[0] == 11.0
        assert 3240 <= scene.waited[1] <= 3600
    assert scene.keys.signing.kid != scene.first.kid


async def test_what_runs_for_ever_says_at_once_what_is_missing() -> None:
    scene = Scene()
    async with scene.server.http() as http:
        with pytest.raises(ValueError, match="more than zero"):
            await rotate_on_schedule(scene.keys, scene.credentials, http, every=timedelta(0))
        keys = ClientKeys(ExternalKey())
        with pytest.raises(TypeError, match="name the next key"):
            await rotate_on_schedule(keys, scene.credentials, http, every=timedelta(days=1))
        with pytest.raises(TypeError, match="name the next key"):
            await follow_key_rotations(keys, scene.credentials, http)


async def test_a_generated_key_is_as_large_as_the_former_one() -> None:
    scene = Scene(SigningKey.generate("PS256", rsa_bits=3072), jwks_url=True)
    async with scene.server.http() as http:
        await rotate(scene.keys, scene.credentials, http, sleep=scene.sleep)
    key = scene.keys.signing
    assert isinstance(key, SigningKey)
    assert (key.algorithm, key.verification_key.bits) == ("PS256", 3072)


def test_a_client_with_a_secret_has_no_key_to_rotate() -> None:
    credentials = ClientCredentials(ISSUER, "worker", ClientSecret("s"))
    with pytest.raises(TypeError):
        credentials.rotation_request(next_key=SigningKey.generate())
