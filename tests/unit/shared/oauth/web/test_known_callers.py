"""Callers that were authenticated by their secret before."""

from typing import Any
from weakref import ref

import pytest

from keyturn_shared.errors import KeyturnError
from keyturn_shared.oauth.client_authentication.secret_cache import SecretCache
from keyturn_shared.oauth.errors import (
    FencedError,
    InvalidRequestError,
    SecretExpiredError,
    TooManyFailuresError,
    UnknownRealmError,
    WrongSecretError,
)
from tests.testkit.filled_redis import projected_secret
from tests.testkit.oauth_scene import client
from tests.unit.shared.oauth.web.asking import SECRET, Asked, asked, basic


def caching(**members: Any) -> Asked:
    return asked(cached=2, **members)


def cache_of(made: Asked) -> SecretCache:
    assert made.cache is not None
    return made.cache


class Counted:
    """An authenticator that counts."""

    def __init__(self, made: Asked) -> None:
        self.asked = 0
        self._sound = made.callers._authenticator
        made.callers._authenticator = self  # type: ignore[assignment]  # the one method that is asked for

    async def authenticate(self, *arguments: Any) -> Any:
        self.asked += 1
        return await self._sound.authenticate(*arguments)


async def test_a_secret_is_compared_once_and_every_use_is_counted() -> None:
    made = caching()
    counted = Counted(made)
    for _ in range(3):
        assert await made.by(basic()) == "worker"
    assert counted.asked == 1
    assert made.count("client_secret_basic", "accepted") == 3
    assert len(made.scene.noted) == 3
    assert len(set(made.scene.noted)) == 1


async def test_an_event_about_the_client_or_realm_ends_a_known_caller() -> None:
    made = caching()
    await made.by(basic())
    made.scene.change(client(authenticator="client-secret", secret="a-new-secret-for-this-client"))
    with pytest.raises(WrongSecretError):
        await made.by(basic())
    assert await made.by(basic("a-new-secret-for-this-client")) == "worker"
    counted = Counted(made)
    made.scene.realm.superseded = True
    assert await made.by(basic("a-new-secret-for-this-client")) == "worker"
    assert counted.asked == 1


async def test_nobody_is_known_by_a_secret_that_was_compared_before_the_client_changed() -> None:
    """The event may come after the client was read and before the authentication is kept."""
    made = caching()
    made.scene.decisions = 2  # the first one has read what has changed
    sound = made.callers._authenticator

    class Overtaken:
        async def authenticate(self, *arguments: Any) -> Any:
            made.callers._authenticator = sound
            found = await sound.authenticate(*arguments)
            made.scene.change(client(authenticator="client-secret", secret="a-new-secret-for-this-client"))
            return found

    made.callers._authenticator = Overtaken()  # type: ignore[assignment]  # the one method that is asked for
    for _ in range(2):
        with pytest.raises(WrongSecretError):
            await made.by(basic())


async def test_a_known_caller_is_refused_when_its_secret_expires() -> None:
    made = asked()
    end = made.scene.clock.time + 10
    secret = projected_secret("uuid-of-worker", SECRET, not_after=end)
    made = caching(secret=None, secrets=(secret,))
    assert await made.by(basic()) == "worker"
    made.scene.clock.time = end
    with pytest.raises(SecretExpiredError):
        await made.by(basic())


async def test_a_wrong_secret_is_none_that_was_right_before() -> None:
    made = caching()
    await made.by(basic())
    counted = Counted(made)
    for wrong in (basic("another"), basic(client_id="other"), basic().lower()):
        with pytest.raises(KeyturnError):
            await made.by(wrong)
    with pytest.raises(UnknownRealmError):
        await made.by(basic(), realm="other")
    assert counted.asked > 0


@pytest.mark.parametrize(
    "parameters",
    [{"client_secret": SECRET}, {"client_assertion": "x"}, {"client_id": "other"}],
)
async def test_a_known_caller_sends_no_other_credentials(parameters: dict[str, str]) -> None:
    made = caching()
    await made.by(basic(), {"client_id": "worker"})
    with pytest.raises(InvalidRequestError):
        await made.by(basic(), parameters)


async def test_a_known_caller_is_refused_for_its_failures_like_any_other() -> None:
    made = caching(limit=1)
    await made.by(basic())
    with pytest.raises(WrongSecretError):
        await made.by(basic("another"))
    with pytest.raises(TooManyFailuresError):
        await made.by(basic())


async def test_a_caller_is_known_only_with_a_lease() -> None:
    made = caching()
    await made.by(basic())
    made.scene.fenced = True
    with pytest.raises(FencedError):
        await made.by(basic())


async def test_only_so_many_callers_are_known() -> None:
    made = caching()
    cache = cache_of(made)
    for spaces in range(1, 5):  # several headers mean the same
        await made.by(basic().replace(" ", " " * spaces))
    assert len(cache._clients) == 2


async def test_the_cache_of_callers_holds_no_state_that_was_superseded() -> None:
    made = caching()
    await made.by(basic())
    former = ref(made.scene.clients["worker"])
    made.scene.change(client(authenticator="client-secret"))
    assert former() is None


async def test_the_cache_of_callers_holds_no_secret() -> None:
    made = caching()
    await made.by(basic())
    cache = cache_of(made)
    [name] = cache._clients
    assert SECRET not in repr(cache._clients)
    assert name != SecretCache(made.scene.clock.now)._name("acme", basic()), "the key is this process's own"
