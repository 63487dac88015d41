"""A user with view permission only sees no secret, and learns what is not allowed."""

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenConsole
from tests.testkit.console_realm import POLICY, REALM
from tests.testkit.console_session import COOKIE, give_cookie

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_who_may_only_view_sees_a_mask_and_changes_nothing(open_console: OpenConsole) -> None:
    console = await open_console(signed_in=False)
    console.expected.append("403")
    page, scene = console.page, console.scene
    uuid = scene.client("onlooker", attributes={"keyturn.admin.roles": "view-clients"})
    credentials = {"realm": REALM, "client_id": "onlooker", "client_secret": scene.admin.secret(uuid)}
    async with httpx.AsyncClient(base_url=console.base, trust_env=False, timeout=30) as http:
        session = (await http.post("/console/session", json=credentials)).cookies[COOKIE]
    await give_cookie(console.context, console.base, session)

    secret = scene.admin.secret(scene.uuids["orders"])
    await console.open_client("orders")
    await expect(page.get_by_text("you are not allowed to see it")).to_be_visible()
    await expect(page.get_by_role("button", name="Reveal the client secret")).to_have_count(0)
    await console.click("Regenerate")
    await console.confirm("Regenerate")
    await console.expect_toast("You do not have permission")
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
