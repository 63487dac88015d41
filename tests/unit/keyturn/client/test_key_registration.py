"""A client's next key, registered with the server before it signs."""

import httpx
import pytest

from keyturn import (
    RotationError,
    SigningKey,
    offer_new_key,
)
from tests.unit.keyturn.client.key_scene import Scene, thumbprint_of_next


async def test_a_registered_key_is_used_once_every_node_has_it() -> None:
    """Until then, a node that was asked for no token may not know it."""
    scene = Scene()
    scene.server.wants_key()
    scene.server.behind = 4
    await scene.offer()
    assert scene.server.behind == 0
    assert scene.waited == [1.0] * 4
    assert scene.server.used == [thumbprint_of_next(scene)]
    assert scene.keys.signing != scene.first


async def test_nodes_that_never_have_it_leave_the_former_key_in_use() -> None:
    scene = Scene()
    scene.server.wants_key()
    scene.server.behind = 1_000
    with pytest.raises(RotationError, match="some nodes"):
        await scene.offer()
    assert (scene.keys.signing, scene.server.used) == (scene.first, [])
    scene.server.behind = 0
    await scene.offer()
    assert scene.server.used == [thumbprint_of_next(scene)]


async def test_looks_that_fail_meanwhile_are_repeated() -> None:
    scene = Scene()
    scene.server.wants_key()
    scene.server.behind = 2

    async def sleep(seconds: float) -> None:
        if not scene.waited:
            scene.server.fails = [503]
        await scene.sleep(seconds)

    async with scene.server.http() as http:
        await offer_new_key(scene.keys, scene.credentials, http, sleep=sleep)
    assert scene.waited == [1.0, 2.0, 1.0]
    assert scene.server.used == [thumbprint_of_next(scene)]


async def test_an_answer_that_is_lost_is_asked_for_again_with_the_same_key() -> None:
    scene = Scene()
    scene.server.wants_key()
    lost = [True]

    def answer(request: httpx.Request) -> httpx.Response:
        answered = scene.server(request)
        if request.url.path.endswith("/key") and lost.pop():
            raise httpx.ReadTimeout("lost")
        return answered

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        with pytest.raises(httpx.ReadTimeout):
            await offer_new_key(scene.keys, scene.credentials, http, sleep=scene.sleep)
        lost.append(False)
        assert scene.keys.signing is scene.first
        await offer_new_key(scene.keys, scene.credentials, http, sleep=scene.sleep)
    first, second = scene.server.offered
    assert first == second == scene.keys.signing.kid


async def test_a_policy_that_forbids_it_leaves_the_key_as_it_is() -> None:
    scene = Scene()
    scene.server.wants_key()
    scene.server.allowed = False
    with pytest.raises(RotationError, match="403"):
        await scene.offer()
    assert (scene.keys.signing, scene.keys.pending) == (scene.first, None)


@pytest.mark.parametrize(
    ("status", "error"),
    [(409, "rotation_not_over"), (429, "temporarily_unavailable"), (401, "invalid_client"), (408, "timeout")],
)
@pytest.mark.parametrize("state", ["planned", "in_use"])
async def test_a_registration_that_is_refused_for_now_proves_no_key(
    status: int, error: str, state: str
) -> None:
    """Nobody knows the key, so every request signed with it would be refused."""
    scene = Scene()
    scene.server.wants_key()
    scene.keys.publish(SigningKey.generate())
    scene.server.state = state
    scene.server.refuses_registration = (status, error)
    with pytest.raises(RotationError, match=str(status)):
        await scene.offer()
    assert (scene.keys.signing, scene.server.refused) == (scene.first, [])


async def test_a_key_that_can_never_be_registered_is_given_up() -> None:
    scene = Scene()
    scene.server.wants_key()
    scene.server.refuses_registration = (400, "invalid_request")
    with pytest.raises(RotationError, match="400"):
        await scene.offer()
    assert (scene.keys.signing, scene.keys.pending) == (scene.first, None)
    scene.server.refuses_registration = None
    await scene.offer()
    assert scene.server.used == [scene.keys.signing.kid] != [scene.first.kid]


async def test_a_key_that_was_registered_before_a_restart_is_proved() -> None:
    scene = Scene()
    scene.server.wants_key()
    next_key = SigningKey.generate()
    scene.keys.publish(next_key)
    scene.server.registered[next_key.kid] = next_key.public_jwk
    scene.server.state = "in_use"
    scene.server.refuses_registration = (400, "invalid_request")
    await scene.offer()
    assert scene.keys.signing.kid == next_key.kid


async def test_a_client_with_a_jwks_url_is_known_by_the_server_s_refusal() -> None:
    scene = Scene()
    scene.server.wants_key()
    scene.server.refuses_registration = (409, "keys_published")

    async def sleep(seconds: float) -> None:
        scene.server.registered |= {str(key["kid"]): key for key in scene.jwks()["keys"]}
        await scene.sleep(seconds)

    async with scene.server.http() as http:
        await offer_new_key(scene.keys, scene.credentials, http, sleep=sleep, settled_after=7)
    assert scene.waited == [7]
    assert scene.keys.signing is not scene.first
