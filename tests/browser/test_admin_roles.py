"""The Admin roles tab: further administrators are made, and clients that may only look."""

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenConsole
from tests.browser.console import Console
from tests.browser.sessions import give_session_of
from tests.testkit.console_realm import REALM

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_second_administrator_is_made_and_signs_in(
    console: Console, open_console: OpenConsole
) -> None:
    page, scene = console.page, console.scene
    uuid = scene.client("second-admin")
    await console.open_client("second-admin", "admin-roles")
    for role, words in (
        ("view-clients", "Secrets are masked"),
        ("configure-clients", "Secrets are shown"),
        ("manage-clients", "delete clients"),
        ("manage-realm", "Read the audit log"),
    ):
        await expect(page.locator("label.check").filter(has_text=role).first).to_contain_text(words)
    await expect(page.get_by_label("create-realm")).to_have_count(0)
    await page.get_by_label("manage-clients").check()
    await console.click("Save")
    await expect(page.get_by_role("dialog")).to_contain_text(f"gets these roles in {REALM}: manage-clients")
    await console.confirm("Change the roles")
    await console.expect_toast("Saved.")
    second = await open_console(signed_in=False)
    await give_session_of(second, "second-admin", scene.admin.secret(uuid))
    await second.open("clients")
    await expect(second.page.locator("tbody tr")).to_have_count(25)

    await console.page.get_by_label("manage-clients").uncheck()
    await console.click("Save")
    await expect(page.get_by_role("dialog")).to_contain_text("It is no administrator any more")
    await console.confirm("Change the roles")
    await expect(page.get_by_text("Not saved yet")).to_have_count(0)
    credentials = {"realm": REALM, "client_id": "second-admin", "client_secret": scene.admin.secret(uuid)}
    async with httpx.AsyncClient(base_url=console.base, trust_env=False, timeout=30) as http:
        assert (await http.post("/console/session", json=credentials)).status_code == 401


async def test_roles_beyond_ones_own_cannot_be_given(open_console: OpenConsole) -> None:
    console = await open_console(signed_in=False)
    console.expected.append("403")
    page, scene = console.page, console.scene
    uuid = scene.client("lesser-admin", attributes={"keyturn.admin.roles": "manage-clients"})
    scene.client("promoted")
    await give_session_of(console, "lesser-admin", scene.admin.secret(uuid))
    await console.open_client("promoted", "admin-roles")
    await page.get_by_label("manage-realm").check()
    await console.click("Save")
    await console.confirm("Change the roles")
    await expect(page.get_by_role("alert")).to_contain_text("admin roles that the caller does not have")


async def test_only_in_master_are_there_roles_for_all_realms(console: Console) -> None:
    page = console.page
    client_id = console.scene.stack.local["admin"]["client_id"]
    await console.open("clients", realm="master")
    await page.get_by_role("link", name=client_id).click()
    await page.get_by_role("link", name="Admin roles").click()
    await expect(page.get_by_label("create-realm")).to_be_visible()
    await expect(page.get_by_text("You are signed in with this client")).to_be_visible()
    await (
        page.locator("label.check")
        .filter(has_text="Everything, in every realm")
        .get_by_role("checkbox")
        .uncheck()
    )
    await console.click("Save")
    await expect(page.get_by_role("dialog")).to_contain_text("cannot sign in again with it")
    await console.confirm("Cancel")


@pytest.mark.parametrize(
    ("representation", "reason"),
    [
        ({"publicClient": True}, "does not authenticate"),
        ({"serviceAccountsEnabled": False}, "client credentials grant is off"),
    ],
)
async def test_what_keeps_a_client_from_using_its_roles_is_said(
    console: Console, representation: dict[str, bool], reason: str
) -> None:
    client_id = f"hindered by {next(iter(representation))}"
    console.scene.client(client_id, **representation)
    await console.open_client(client_id, "admin-roles")
    await expect(console.card("Admin roles")).to_contain_text(reason)
