"""A user with view permission only sees no secret, and learns what is not allowed."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenConsole
from tests.browser.sessions import give_session_of
from tests.testkit.console_realm import POLICY

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_who_may_only_view_sees_a_mask_and_changes_nothing(open_console: OpenConsole) -> None:
    console = await open_console(signed_in=False)
    console.expected.append("403")
    page, scene = console.page, console.scene
    uuid = scene.client("onlooker", attributes={"keyturn.admin.roles": "view-clients"})
    await give_session_of(console, "onlooker", scene.admin.secret(uuid))

    secret = scene.admin.secret(scene.uuids["orders"])
    await console.open_client("orders")
    await expect(page.get_by_text("you are not allowed to see it")).to_be_visible()
    await expect(page.get_by_role("button", name="Reveal the client secret")).to_have_count(0)
    await console.click("Regenerate")
    await console.confirm("Regenerate")
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text(
        "You do not have permission"
    )
    await console.confirm("Cancel")
    assert scene.admin.secret(scene.uuids["orders"]) == secret
    assert secret not in await page.content()
    await console.open("rotations")
    await console.fill("Overlap (days)", "1")
    await console.click("Check and save")
    await console.confirm("Save the policy")
    await expect(console.card("Policy").get_by_role("alert")).to_contain_text("You do not have permission")
    assert scene.admin.call("GET", "").json()["attributes"].items() >= POLICY.items()
    await console.open("audit")
    await expect(page.get_by_role("alert")).to_contain_text("You do not have permission")
