"""One stack with three nodes and one signed-in admin for all tests of the console."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext

from tests.browser.console import Console
from tests.testkit.console_realm import REALM, Scene
from tests.testkit.console_session import give_session
from tests.testkit.local_stack import RunningStack
from tests.testkit.nodejs import install_packages
from tests.testkit.threaded_key_server import KeyServer

NODES = 3

OpenConsole = Callable[..., Awaitable[Console]]


@pytest.fixture(scope="session")
def axe() -> str:
    return (install_packages() / "node_modules" / "axe-core" / "axe.min.js").read_text()


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    data = tmp_path_factory.mktemp("browser") / "data"
    with RunningStack(data, nodes=NODES, KEYTURN_NOTICES_CHECK_SECONDS="2").start() as running:
        yield running


@pytest.fixture(scope="package")
def scene(stack: RunningStack) -> Iterator[Scene]:
    with KeyServer() as keys:
        made = Scene(stack, keys)
        made.make()
        yield made


@pytest.fixture
def made_for_this_test(scene: Scene) -> Iterator[None]:
    """Deletes the clients that the test makes, of which others would see pages full."""
    before = set(scene.uuids)
    yield
    for client_id in set(scene.uuids) - before:
        uuid = scene.uuids.pop(client_id)
        if scene.admin.http.get(f"/admin/realms/{REALM}/clients/{uuid}").status_code == 200:
            scene.admin.call("DELETE", f"/clients/{uuid}")


@pytest.fixture
def http(stack: RunningStack) -> Iterator[httpx.Client]:
    """A separate caller without cookies."""
    with httpx.Client(base_url=stack.base_url, timeout=30, trust_env=False) as client:
        yield client


async def context_of(browser: Browser, scene: Scene, *, signed_in: bool, **options: Any) -> BrowserContext:
    context = await browser.new_context(**{"base_url": scene.stack.base_url, **options})
    if signed_in:
        await give_session(context, scene.stack)
    return context


@pytest_asyncio.fixture(loop_scope="session")
async def open_console(browser: Browser, scene: Scene) -> AsyncIterator[OpenConsole]:
    """Opens a page of the console by its path, in a browser context of its own. ``signed_in=False``: without
    a session. At the end of the test, none of the pages may have reported an error."""
    opened: list[Console] = []

    async def open_one(path: str = "", *, signed_in: bool = True, **options: Any) -> Console:
        context = await context_of(browser, scene, signed_in=signed_in, **options)
        console = Console(context, await context.new_page(), scene)
        opened.append(console)
        await console.begin()
        await console.open(path)
        return console

    yield open_one
    for console in opened:
        await console.context.close()
    for console in opened:
        console.require_calm()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def shared_context(browser: Browser, scene: Scene) -> AsyncIterator[BrowserContext]:
    """A signed-in context with the console's files in its cache, for tests that change neither cookies nor
    rights."""
    context = await context_of(browser, scene, signed_in=True)
    yield context
    await context.close()


class SharedPage:
    """A signed-in page that tests use one after the other: another one costs as much as a short test."""

    def __init__(self, context: BrowserContext, scene: Scene) -> None:
        self._context = context
        self._scene = scene
        self._console: Console | None = None

    @asynccontextmanager
    async def used(self) -> AsyncIterator[Console]:
        """Yield the page. None of it is left: a page that reported an error is not used again."""
        if self._console is None:
            self._console = Console(self._context, await self._context.new_page(), self._scene)
            await self._console.begin()
        console, self._console = self._console, None
        yield console
        await console.leave()
        try:
            console.require_calm()
        except AssertionError:
            await console.page.close()
            raise
        console.forget()
        self._console = console


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def shared_page(shared_context: BrowserContext, scene: Scene) -> SharedPage:
    return SharedPage(shared_context, scene)


@pytest_asyncio.fixture(loop_scope="session")
async def console(shared_page: SharedPage) -> AsyncIterator[Console]:
    """A signed-in page on the list of clients."""
    async with shared_page.used() as console:
        await console.open()
        yield console
