"""The service with an identity provider, and browsers."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from tests.integration.credentials.persons.scene import Browser, person_settings
from tests.testkit.admin_api import BASE_URL, AdminApi, running
from tests.testkit.identity_provider import IdentityProvider, running_provider
from tests.testkit.nodes import TestClock

NewBrowser = Callable[[], Browser]


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
async def provider(clock: TestClock) -> AsyncIterator[IdentityProvider]:
    async with running_provider(clock.now) as started:
        yield started


@pytest.fixture
async def api(
    tmp_path: Path, redis_url: str, provider: IdentityProvider, clock: TestClock
) -> AsyncIterator[AdminApi]:
    settings = person_settings(f"sqlite+aiosqlite:///{tmp_path}/keyturn.db", redis_url, provider.issuer)
    async with running(settings, clock) as started:
        yield started


@pytest.fixture
async def new_browser(api: AdminApi, provider: IdentityProvider) -> AsyncIterator[NewBrowser]:
    """Makes browsers without cookies."""
    async with AsyncExitStack() as stack:
        opened: list[httpx.AsyncClient] = []

        def make() -> Browser:
            http = httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url=BASE_URL)
            opened.append(http)
            stack.push_async_callback(http.aclose)
            return Browser(api, provider, http)

        yield make


@pytest.fixture
def browser(new_browser: NewBrowser) -> Browser:
    return new_browser()
