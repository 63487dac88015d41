"""Notices in the console: on their page, and as a number in the navigation."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenConsole
from tests.browser.console import Console
from tests.browser.sessions import give_session_of
from tests.testkit.console_realm import DAY, Scene
from tests.testkit.local_stack import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

BY_HAND = {"keyturn.secret.expiration-period": str(5 * DAY), "keyturn.rotation.automatic": "false"}


def noticed(scene: Scene, client_id: str, **members: object) -> str:
    """Make a client with a secret that ends and nothing replaces; wait for the notice."""
    uuid = scene.client(client_id, attributes=BY_HAND | dict(members))
    eventually(lambda: client_id in about(scene), seconds=180)
    return uuid


def about(scene: Scene) -> list[str]:
    """Return the ids of the clients that notices are about."""
    return [each["client_id"] for each in scene.admin.call("GET", "/notices").json()]


@pytest.mark.usefixtures("made_for_this_test")
async def test_a_notice_says_what_ends_and_what_to_do_and_leads_to_the_client(console: Console) -> None:
    page, scene = console.page, console.scene
    noticed(scene, "ending-soon")
    await console.open("notices")
    row = page.get_by_role("table", name="Notices").locator("tbody tr").filter(has_text="ending-soon")
    for part in ("Secret expires", "in 5 days", "Start a rotation: keyturn rotations start CLIENT."):
        await expect(row).to_contain_text(part)
    link = page.get_by_role("navigation", name="Main").get_by_role("link", name=re.compile("^Notices"))
    await expect(link).to_have_attribute("aria-current", "page")
    await expect(link.get_by_role("status")).to_have_text(re.compile(r"^\d+\+? open notices?$"))
    await expect(link.locator(".count")).to_be_visible()
    await row.get_by_role("link", name="ending-soon").click()
    await expect(page.get_by_role("heading", name="ending-soon")).to_be_visible()


@pytest.mark.usefixtures("made_for_this_test")
async def test_the_name_of_a_client_is_only_text_there(console: Console) -> None:
    name = "<img src=x onerror=alert(1)>"
    noticed(console.scene, name)
    await console.open("notices")
    await expect(console.page.get_by_role("link", name=name)).to_be_visible()
    await expect(console.page.locator("main img")).to_have_count(0)


async def test_where_nothing_is_open_the_page_says_so_and_the_navigation_nothing(
    console: Console,
) -> None:
    await console.open("notices", realm="master")
    await expect(console.page.get_by_role("heading", name="No open notices")).to_be_visible()
    await expect(console.page.locator(".menu .count")).to_be_hidden()
    await expect(console.page.locator(".menu").get_by_role("status")).to_have_text("")


async def test_who_may_not_view_clients_is_not_asked_about_again(open_console: OpenConsole) -> None:
    console = await open_console(signed_in=False)
    console.expected.append("403")
    scene = console.scene
    uuid = scene.client("realm-keeper", attributes={"keyturn.admin.roles": "manage-realm"})
    await give_session_of(console, "realm-keeper", scene.admin.secret(uuid))
    await console.open("realm")
    for name, path in (("Fleet", "fleet"), ("Audit", "audit")):
        await console.page.get_by_role("link", name=name, exact=True).click()
        await expect(console.page).to_have_url(re.compile(f"/{path}$"))
        await console.settled()
    asked = [url for url in console.requested if "/notices?" in url]
    assert len(asked) == 1
    await expect(console.page.locator(".menu .count")).to_be_hidden()
