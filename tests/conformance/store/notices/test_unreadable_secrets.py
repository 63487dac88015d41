"""A secret that cannot be decrypted hides no other cause, keeps no notice open, and has a notice itself."""

from keyturn_credentials.operations.targets import ClientTarget
from tests.conformance.store.conftest import ACTOR
from tests.conformance.store.notices.scene import BY_HAND, BY_URL, DAY, FAILING, Scene
from tests.testkit.damaged_secrets import damage, put


async def rounds(scene: Scene, number: int = 2) -> list[str]:
    """Let the first instance sweep to the end so often; return the codes of the open notices."""
    for _ in range(number):
        await scene.after()
    return await scene.codes()


async def test_later_notices_close_beside_a_secret_that_cannot_be_decrypted(scene: Scene) -> None:
    """All of them are judged on one page."""
    damaged = await scene.create("damaged", attributes=BY_HAND)
    later = await scene.create("later", attributes=BY_HAND)
    assert await scene.after() == ["secret_ending", "secret_ending"]
    await damage(scene.store.database, damaged)
    await scene.operations.secrets.regenerate(ClientTarget(ACTOR, "acme", later))
    await scene.change(later, attributes={"keyturn.rotation.automatic": "true"})
    assert await rounds(scene) == ["secret_ending", "secret_unreadable"]
    assert {notice.client_id for notice in await scene.notices()} == {"damaged"}


async def test_notices_of_other_clients_open_beside_it(scene: Scene) -> None:
    """They end soon, have ended, or have a JWKS URL that fails."""
    damaged = await scene.create("damaged", attributes=BY_HAND)
    await damage(scene.store.database, damaged)
    await scene.create("soon", attributes=BY_HAND)
    await scene.create("url", clientAuthenticatorType="client-jwt", attributes=BY_URL)
    scene.fetched.health = FAILING
    expected = ["key_set_unusable", "secret_ending", "secret_ending", "secret_unreadable"]
    assert await rounds(scene) == expected
    scene.clock.time += 11 * DAY
    expected = ["key_set_unusable", "secret_ended", "secret_ended", "secret_unreadable"]
    assert await rounds(scene) == expected


async def test_it_has_a_notice_that_closes_when_it_can_be_decrypted_again(scene: Scene) -> None:
    damaged = await scene.create("damaged", attributes=BY_HAND)
    before = await damage(scene.store.database, damaged)
    assert await rounds(scene) == ["secret_ending", "secret_unreadable"]
    (notice,) = (each for each in await scene.notices() if each.code == "secret_unreadable")
    assert (notice.client_id, notice.client_uuid, notice.ends_at) == ("damaged", damaged, None)
    await put(scene.store.database, damaged, before)
    assert await rounds(scene) == ["secret_ending"]


async def test_a_secret_that_never_ends_is_found_after_a_start(scene: Scene) -> None:
    """Each process looks at all clients once."""
    damaged = await scene.create("damaged")
    await scene.create("another")
    await damage(scene.store.database, damaged)
    assert await rounds(scene) == ["secret_unreadable"]
    assert [notice.client_id for notice in await scene.notices()] == ["damaged"]


async def test_of_a_disabled_client_it_has_none(scene: Scene) -> None:
    damaged = await scene.create("damaged", enabled=False, attributes=BY_HAND)
    await damage(scene.store.database, damaged)
    assert await rounds(scene) == []
