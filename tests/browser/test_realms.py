"""Realms: selection, creation, policy, upcoming expiries, keys, health of JWKS URLs."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.console import Console
from tests.testkit.console_realm import DAY, POLICY

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
    await expect(page.get_by_role("dialog")).to_contain_text("This cannot be undone")
    await console.confirm("Delete the realm")
    await expect(page.get_by_label("Realm master, choose another")).to_be_visible()


async def test_rotations_show_stages_calendar_and_policy(console: Console) -> None:
    page = console.page
    await console.open("rotations")
    for stage, client in (("Due", "reporting"), ("Overlapping", "orders"), ("Expired", "legacy-export")):
        there = page.locator(".stage").filter(has=page.get_by_role("heading", name=stage, exact=True))
        await expect(there.get_by_role("link", name=client)).to_be_visible()
    calendar = page.get_by_role("table", name="Upcoming in the next five weeks")
    await expect(calendar.locator("td")).to_have_count(35)
    await expect(calendar.get_by_role("link", name="basket-fr Secret expires")).to_be_visible()
    await expect(calendar.get_by_role("link", name="orders Former secret ends")).to_be_visible()

    policy = console.card("Policy")
    await console.fill("Secret expires after (days)", "5")
    await policy.get_by_role("button", name="Save").click()  # the overlap is longer: the form refuses
    overlap = page.get_by_label("Former secret is accepted for (days)")
    assert await overlap.evaluate("control => control.validationMessage") == (
        "Neither can be longer than the lifetime of the secret."
    )
    await console.fill("Secret expires after (days)", "60")
    await console.fill("Former secret is accepted for (days)", "3")
    await console.fill("Rotate before expiry (days)", "10")
    await expect(policy).to_contain_text(
        re.compile(r"A secret created now expires on .*\. The one before it")
    )
    await policy.get_by_role("button", name="Save").click()
    await console.expect_toast("Policy saved.")
    attributes = console.scene.admin.call("GET", "").json()["attributes"]
    assert attributes["keyturn.secret.expiration-period"] == str(60 * DAY)
    assert attributes["keyturn.secret.rotated-expiration-period"] == str(3 * DAY)
    assert attributes["keyturn.secret.remaining-rotation-period"] == str(10 * DAY)
    console.scene.admin.call("PUT", "", json={"attributes": POLICY})


async def test_a_rotation_under_way_is_held_up_and_given_up(console: Console) -> None:
    page = console.page
    await console.open("rotations")
    row = page.get_by_role("table", name="Rotations under way").locator("tbody tr")
    row = row.filter(has_text="gift-cards")
    await expect(row).to_contain_text("New secret accepted")
    await expect(row).to_contain_text("the client to get the new secret")
    await row.get_by_role("button", name="Pause").click()
    await console.expect_toast("The rotation is paused.")
    await expect(row).to_contain_text("somebody to resume it")
    await row.get_by_role("button", name="Resume").click()
    await console.expect_toast("The rotation goes on.")
    await row.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("dialog")).to_contain_text("The former secret is the only one again.")
    await console.confirm("Cancel the rotation")
    await console.expect_toast("The rotation was cancelled. Safe now")
    await expect(page.get_by_text("No rotation is under way")).to_be_visible()


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
