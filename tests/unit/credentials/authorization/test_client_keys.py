"""A JWKS URL is fetched as often as is allowed, and those who need newer keys share the next fetch."""

import asyncio
import json

import pytest

from keyturn_credentials.authorization.client_keys import LEAST_INTERVAL, ClientKeyFetcher
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.network.answer import FetchResult
from keyturn_shared.network.fetcher import FetchPolicy
from keyturn_shared.oauth.key_errors import UnknownKidError
from keyturn_shared.projection import ClientProjection, RealmProjection
from tests.testkit.clocks import SetClock

REALM = RealmProjection(id="r", name="acme")
CLIENT = ClientProjection(uuid="c", realm_id="r", client_id="orders", jwks_url="https://client.example/jwks")
FORMER, NEW = (SigningKey.generate(kid=kid) for kid in ("former", "new"))


class Site:
    """Serves the keys in ``published``. Sleeping advances the clock."""

    def __init__(self) -> None:
        self.clock = SetClock(50.0)
        self.published = [FORMER]
        self.fetches = 0
        self.slept: list[float] = []
        self.keys = ClientKeyFetcher(self, (), self.clock, sleep=self.sleep)  # type: ignore[arg-type]  # fetch alone

    async def fetch(self, url: str, *, policy: FetchPolicy) -> FetchResult:
        self.fetches += 1
        await asyncio.sleep(0)
        body = json.dumps({"keys": [key.public_jwk for key in self.published]}).encode()
        return FetchResult(200, {}, body)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)
        self.clock.time += seconds

    async def find(self, key: SigningKey, newer_than: float | None = None) -> list[str]:
        kid = key.verification_key.kid
        return [each.kid for each in await self.keys.find(REALM, CLIENT, kid, "ES256", newer_than=newer_than)]


@pytest.fixture
def site() -> Site:
    return Site()


async def test_an_unknown_key_is_not_looked_for_again_at_once(site: Site) -> None:
    assert await site.find(FORMER) == ["former"]
    site.published = [NEW]
    with pytest.raises(UnknownKidError):
        await site.find(NEW)
    site.clock.time += LEAST_INTERVAL
    assert await site.find(NEW) == ["new"]
    assert site.slept == []


async def test_who_needs_a_newer_one_waits_and_shares_the_next_fetch(site: Site) -> None:
    assert await site.find(FORMER) == ["former"]
    site.clock.time += 4
    site.published = [NEW]
    found = await asyncio.gather(*(site.find(NEW, newer_than=1.0) for _ in range(10)))
    assert found == [["new"]] * 10
    assert (site.fetches, site.slept) == (2, [LEAST_INTERVAL - 4])


async def test_a_key_that_nobody_has_makes_one_fetch_for_all_who_wait(site: Site) -> None:
    assert await site.find(FORMER) == ["former"]
    asked = (site.find(NEW, newer_than=1.0) for _ in range(10))
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(each, UnknownKidError) for each in found)
    assert (site.fetches, site.slept) == (2, [LEAST_INTERVAL])


async def test_keys_from_before_do_not_count_for_who_knows_newer_ones(site: Site) -> None:
    assert await site.find(FORMER) == ["former"]
    site.clock.time += 30
    assert await site.find(FORMER, newer_than=40.0) == ["former"]
    site.published = [NEW]
    with pytest.raises(UnknownKidError):
        await site.find(FORMER, newer_than=20.0)
    assert site.fetches == 2
