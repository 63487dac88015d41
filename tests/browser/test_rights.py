"""Somebody who may only look on sees no secret and is told what is not allowed."""

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenConsole
from tests.browser.console import COOKIE
from tests.browser.scene import REALM

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_who_may_only_view_sees_a_mask_and_changes_nothing(open_console: OpenConsole) -> None:
    console = await open_console(signed_in=False)
    console.expected.append("403")
    page, scene = console.page, console.scene
    uuid = scene.client("onlooker", attributes={"keyturn.admin.roles": "view-clients"})
    credentials = {"realm": REALM, "client_id": "onlooker", "client_secret": scene.admin.secret(uuid)}
    async with httpx.AsyncClient(base_url=console.base, trust_env=False, timeout=30) as http:
        session = (await http.post("/console/session", json=credentials)).cookies[COOKIE]
    cookie = {"name": COOKIE, "value": session, "url": console.base}
    await console.context.add_cookies([cookie])  # type: ignore[list-item]

    secret = scene.admin.secret(scene.uuids["orders"])
    await console.open_client("orders")
    await expect(page.get_by_text("you may not see it")).to_be_visible()
    await expect(page.get_by_role("button", name="Reveal the client secret")).to_have_count(0)
    await console.click("Regenerate")
    await console.confirm("Regenerate")
    await console.expect_toast("You may not do this here")
    assert scene.admin.secret(scene.uuids["orders"]) == secret
    assert secret not in await page.content()
    await console.open("audit")
    await expect(page.get_by_role("alert")).to_contain_text("You may not do this here")
