"""Changes to the client that the user is signed in with say what they take from the user."""

import pytest
from playwright.async_api import expect

from tests.browser.console import Console

pytestmark = pytest.mark.asyncio(loop_scope="session")

OWN = "This is the client that you are signed in with"


@pytest.mark.parametrize(
    ("tab", "button", "takes"),
    [
        ("settings", "Disable", "cannot sign in again"),
        ("settings", "Delete", "cannot sign in again"),
        ("credentials", "Regenerate", "You are signed out"),
        ("rotation", "Rotate now", "cannot sign in again"),
        ("rotation", "Secret is compromised", "cannot sign in again"),
    ],
)
async def test_what_ends_the_own_session_says_so(console: Console, tab: str, button: str, takes: str) -> None:
    await open_own(console, tab)
    await console.click(button)
    dialog = console.page.get_by_role("dialog")
    await expect(dialog).to_contain_text(OWN)
    await expect(dialog).to_contain_text(takes)
    await console.confirm("Cancel")


async def test_another_authenticator_or_grant_of_the_own_client_says_so(console: Console) -> None:
    page = console.page
    await open_own(console, "credentials")
    await console.choose("Client Authenticator", "client-secret-jwt")
    await console.click("Save")
    await expect(page.get_by_role("dialog")).to_contain_text(OWN)
    await console.confirm("Cancel")
    await console.click("Discard the changes")
    await open_own(console, "settings")
    await page.get_by_label("Client credentials grant").uncheck()
    await console.click("Save")
    await expect(page.get_by_role("dialog")).to_contain_text(OWN)
    await console.confirm("Cancel")
    await console.click("Discard the changes")


async def test_another_client_is_changed_without_such_a_warning(console: Console) -> None:
    await console.open_client("stock-us", "settings")
    await expect(console.page.get_by_text("You are signed in with this client")).to_have_count(0)
    await console.click("Disable")
    await expect(console.page.get_by_role("dialog")).not_to_contain_text(OWN)
    await console.confirm("Cancel")


async def open_own(console: Console, tab: str) -> None:
    stack = console.scene.stack
    admin = stack.local["admin"]["client_id"]
    found = console.scene.admin.http.get("/admin/realms/master/clients", params={"clientId": admin}).json()
    await console.open(f"clients/{found[0]['id']}/{tab}", realm="master")
