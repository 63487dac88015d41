"""Client scopes of a realm and of a client."""

import base64
import json

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.console import Console
from tests.testkit.console_realm import REALM
from tests.testkit.local_stack import token_url

pytestmark = pytest.mark.asyncio(loop_scope="session")


def scopes_of_token(console: Console, client_id: str, **asked: str) -> list[str]:
    """Get a token at a node; return the words of its scope."""
    scene = console.scene
    secret = scene.admin.secret(scene.uuids[client_id])
    data = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, **asked}
    answer = httpx.post(token_url(scene.stack.node_urls[2], REALM), data=data, trust_env=False)
    token = answer.raise_for_status().json()["access_token"]
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return str(claims["scope"]).split()


async def test_a_scope_is_made_given_to_a_client_and_deleted(console: Console) -> None:
    page, scene = console.page, console.scene
    scene.client("scoped")
    await console.open("client-scopes")
    await console.click("New client scope")
    dialog = page.get_by_role("dialog")
    await console.fill("Name", "stock.read", within=dialog)
    await console.fill("Description", "Reads the stock", within=dialog)
    await console.click("Create", within=dialog)
    await console.expect_toast("Client scope stock.read created.")
    await expect(page.get_by_role("table", name="Client scopes")).to_contain_text("Reads the stock")
    await expect(page.get_by_label("Type of stock.read")).to_have_value("")

    await console.open_client("scoped", "scopes")
    await console.choose("Type of stock.read", "optional")
    await console.click("Save")
    await console.expect_toast("Saved. Safe now")
    assert "stock.read" not in scopes_of_token(console, "scoped")
    assert "stock.read" in scopes_of_token(console, "scoped", scope="stock.read")
    await console.choose("Type of stock.read", "default")
    await console.click("Save")
    await expect(page.get_by_text("Not saved yet")).to_have_count(0)
    assert "stock.read" in scopes_of_token(console, "scoped")

    await console.open("client-scopes")
    await console.click("Edit stock.read")
    await console.fill("Description", "Reads all of the stock", within=dialog)
    await console.click("Save", within=dialog)
    await expect(page.get_by_role("table", name="Client scopes")).to_contain_text("Reads all of the stock")
    await console.click("Delete stock.read")
    await expect(dialog).to_contain_text("No access token has it any more")
    await console.confirm("Delete the scope")
    await console.expect_toast("Client scope stock.read deleted.")
    assert "stock.read" not in scopes_of_token(console, "scoped")


async def test_a_default_scope_of_the_realm_is_in_the_tokens_of_clients_without_a_list(
    console: Console,
) -> None:
    page, admin = console.page, console.scene.admin
    admin.call("POST", "/client-scopes", json={"name": "everyone", "protocol": "openid-connect"})
    console.scene.client("without-a-list")
    await console.open("client-scopes")
    await console.choose("Type of everyone", "default")
    await console.click("Save")
    await console.expect_toast("Saved. Safe now")
    assert "everyone" in scopes_of_token(console, "without-a-list")
    await console.choose("Type of everyone", "")
    await console.click("Save")
    await expect(page.get_by_text("Not saved yet")).to_have_count(0)
    assert "everyone" not in scopes_of_token(console, "without-a-list")
