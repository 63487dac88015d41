"""Realms: selection, creation, keys, health of JWKS URLs."""

import pytest
from playwright.async_api import expect

from tests.browser.console import Console

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_realm_is_made_chosen_set_up_and_deleted(console: Console) -> None:
    page = console.page
    choice = page.get_by_label("Realm shop, choose another")
    await choice.click()
    await expect(page.get_by_role("link", name="master")).to_be_visible()
    await console.click("New realm")
    dialog = page.get_by_role("dialog")
    await console.fill("Name", "branch", within=dialog)
    await console.click("Create", within=dialog)
    await expect(page.get_by_role("heading", name="No clients yet")).to_be_visible()
    await expect(page.get_by_label("Realm branch, choose another")).to_be_visible()

    made = {"clientId": "only", "serviceAccountsEnabled": True}
    console.scene.admin.http.post("/admin/realms/branch/clients", json=made).raise_for_status()
    await page.get_by_role("link", name="Realm", exact=True).click()
    await console.fill("Access token lifespan (s)", "120")
    await console.fill("Private networks allowed for JWKS URLs", "10.0.0.0/8")
    await page.get_by_label("Strict audience").check()
    await console.click("Save")
    await console.expect_toast("Saved.")
    realm = console.scene.admin.http.get("/admin/realms/branch").json()
    assert realm["accessTokenLifespan"] == 120
    assert realm["attributes"]["keyturn.jwks.allowed-networks"] == "10.0.0.0/8"
    assert realm["attributes"]["keyturn.strict-audience"] == "true"

    await console.click("Rotate now")
    await expect(page.get_by_role("dialog")).to_contain_text(
        "refuses new tokens until it fetches the set again"
    )
    await console.confirm("Rotate now")
    await expect(page.locator(".stage").filter(has_text="Retiring").locator(".badge")).to_have_text("2")
    await console.click("Clear key cache")
    await expect(page.get_by_role("dialog")).to_contain_text("fetched again before it is used again")
    await console.confirm("Clear")
    await console.expect_toast("Key cache cleared. Safe now")
    await console.click("Delete")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("1 client is deleted")
    await expect(dialog).to_contain_text("This cannot be undone")
    delete = dialog.get_by_role("button", name="Delete the realm")
    await expect(delete).to_be_disabled()
    await console.fill("Type branch to confirm", "branches", within=dialog)
    await expect(delete).to_be_disabled()
    await console.fill("Type branch to confirm", "branch", within=dialog)
    await console.confirm("Delete the realm")
    await expect(page.get_by_label("Realm master, choose another")).to_be_visible()


async def test_the_health_of_jwks_urls_is_shown_with_the_reason(console: Console) -> None:
    await console.open("jwks-urls")
    rows = console.page.get_by_role("table", name="JWKS URLs").locator("tbody tr")
    billing = rows.filter(has_text="billing")
    await expect(billing).to_contain_text("Good")
    await expect(billing).to_contain_text("/billing/jwks.json")
    shipping = rows.filter(has_text="shipping")
    await expect(shipping).to_contain_text("Failing, clients rejected")
    await expect(shipping).to_contain_text("503")
    await shipping.get_by_role("link", name="shipping").click()
    await expect(console.page.get_by_role("heading", name="Keys of the client")).to_be_visible()
