"""Sign-in with the secret of an admin, or with a link that works once."""

import re

import httpx
import pytest
from playwright.async_api import expect

from keyturn.console_link import make_link
from keyturn.local import local_file
from keyturn.local.data_directory import DataDirectory
from keyturn.local.secrets_file import load
from keyturn_credentials.console.sessions import SessionSealer
from keyturn_shared.clock import SystemClock
from keyturn_shared.sealing import KeyRing
from tests.browser.conftest import OpenConsole
from tests.testkit.console_realm import REALM, Scene
from tests.testkit.console_session import COOKIE
from tests.testkit.local_stack import RunningStack

pytestmark = pytest.mark.asyncio(loop_scope="session")


class EarlyClock(SystemClock):
    def now(self) -> float:
        return 0.0


def link_to(stack: RunningStack, realm: str | None = None) -> str:
    directory = DataDirectory(stack.data)
    local = local_file.read(directory.local_file)
    assert local is not None
    return make_link(local, load(directory.secrets_file).encryption_keys, SystemClock(), realm=realm)


async def test_an_admin_signs_in_with_the_secret_and_stays_at_the_address(
    open_console: OpenConsole, scene: Scene
) -> None:
    console = await open_console("fleet", signed_in=False)
    page, admin = console.page, scene.stack.local["admin"]
    console.expected.append("401")
    await console.fill("Client ID", admin["client_id"])
    await console.fill("Client secret", "wrong")
    await console.click("Sign in")
    await expect(page.get_by_role("alert")).to_contain_text("The client ID or secret is wrong")
    await console.fill("Client secret", admin["client_secret"])
    await console.click("Sign in")
    await expect(page.get_by_role("heading", name="Fleet")).to_be_visible()
    [cookie] = await console.context.cookies()
    assert cookie["name"] == COOKIE
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    assert await page.evaluate("document.cookie") == ""
    assert await page.evaluate("localStorage.length + sessionStorage.length") == 0


async def test_a_link_signs_in_once_and_leaves_no_trace(open_console: OpenConsole, scene: Scene) -> None:
    link = link_to(scene.stack)
    console = await open_console(signed_in=False)
    await console.page.goto(link)
    await expect(console.page.get_by_role("heading", name="Clients")).to_be_visible()
    assert "#" not in console.page.url
    assert not any("ticket" in url for url in console.requested)
    second = await open_console(signed_in=False)
    second.expected.append("401")
    await second.page.goto(link)
    await expect(second.page.get_by_role("alert")).to_contain_text(
        "This link has already been used or has expired"
    )


async def test_a_link_opens_the_realm_that_was_asked_for(open_console: OpenConsole, scene: Scene) -> None:
    console = await open_console(signed_in=False)
    await console.page.goto(link_to(scene.stack, REALM))
    await expect(console.page.get_by_role("heading", name="Clients", exact=True)).to_be_visible()
    assert console.page.url == f"{console.base}/console/{REALM}/clients"


async def test_the_stack_prints_such_a_link(scene: Scene) -> None:
    found = re.search(r"^Sign-in link +(\S+)", scene.stack.said(), re.MULTILINE)
    assert found is not None
    base, _, text = found[1].partition("#ticket=")
    assert base == f"{scene.stack.base_url}/console/"
    keys = load(DataDirectory(scene.stack.data).secrets_file).encryption_keys.reveal()
    # Read as of a time before any expiry, however long the earlier tests took.
    sealer = SessionSealer(KeyRing.from_text(keys, purpose="encryption"), EarlyClock())
    ticket = sealer.read_ticket(text)
    assert ticket is not None
    admin = scene.stack.local["admin"]
    assert (ticket.realm, ticket.client_id) == (admin["realm"], admin["client_id"])


async def test_signing_out_ends_the_session_for_whoever_has_its_cookie(
    open_console: OpenConsole, scene: Scene
) -> None:
    console = await open_console(signed_in=False)
    await console.page.goto(link_to(scene.stack))
    await expect(console.page.get_by_role("heading", name="Clients")).to_be_visible()
    [cookie] = await console.context.cookies()
    copied = {COOKIE: str(cookie.get("value"))}
    assert await status_with(copied, scene) == 200
    await console.click("Sign out")
    await expect(console.page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert await console.context.cookies() == []
    assert await status_with(copied, scene) == 401


async def status_with(cookies: dict[str, str], scene: Scene) -> int:
    async with httpx.AsyncClient(cookies=cookies, trust_env=False, timeout=30) as http:
        return (await http.get(f"{scene.stack.base_url}/admin/realms")).status_code


async def test_a_session_that_ended_asks_to_sign_in_again(open_console: OpenConsole) -> None:
    console = await open_console()
    console.expected += ["401", "EventSource"]
    await console.context.clear_cookies()
    await console.page.get_by_role("link", name="Rotations").click()
    await expect(console.page.get_by_role("alert")).to_contain_text("Your session has ended")
