"""The list of clients, and a client's settings."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.console import Console
from tests.testkit.console_realm import REALM

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_clients_are_listed_page_by_page_and_found_by_part_of_their_id(console: Console) -> None:
    page, rows = console.page, console.page.locator("tbody tr")
    await expect(rows).to_have_count(25)
    await console.click("Next")
    await expect(rows.first).not_to_contain_text("basket-de")
    assert page.url.endswith("?first=25")
    await page.reload()
    await expect(page.locator(".pager")).to_contain_text("26–")
    await console.click("Previous")
    await expect(rows).to_have_count(25)
    await console.fill("Search by client ID", "BASKET")
    await expect(rows).to_have_count(4)
    await console.fill("Search by client ID", "no such client")
    await expect(page.get_by_role("heading", name="No client found")).to_be_visible()
    await console.click("Clear search")
    await expect(rows).to_have_count(25)


async def test_the_list_says_what_each_client_proves_itself_with(console: Console) -> None:
    for client_id, credential in (
        ("legacy-export", "Secret expired"),
        ("orders", "two accepted"),
        ("billing", "JWKS URL"),
        ("payments", "Inline JWKS"),
        ("inventory", "Certificate"),
    ):
        row = console.page.get_by_role("row").filter(has=console.page.get_by_role("link", name=client_id))
        await expect(row).to_contain_text(credential)


async def test_a_client_is_made_changed_disabled_and_deleted(console: Console) -> None:
    page = console.page
    await console.click("New client")
    dialog = page.get_by_role("dialog")
    await console.fill("Client ID", "made-here", within=dialog)
    await console.fill("Name", "Made here", within=dialog)
    await console.click("Create", within=dialog)
    await expect(page.get_by_role("heading", name="made-here")).to_be_visible()
    await console.expect_toast("Safe now: 3 of 3 nodes applied it")
    assert page.url.endswith("/credentials")

    await page.get_by_role("link", name="Settings").click()
    await console.fill("Description", "For the tests")
    await expect(page.get_by_text("Not saved yet")).to_be_visible()
    await console.click("Save")
    await expect(page.get_by_text("Not saved yet")).to_have_count(0)
    await page.reload()
    await expect(page.get_by_label("Description")).to_have_value("For the tests")

    await console.click("Disable")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Every node rejects its credentials")
    await console.click("Cancel", within=dialog)
    await expect(page.locator(".title .badge")).to_have_text("Enabled")
    await console.click("Disable")
    await console.confirm("Disable")
    await expect(page.locator(".title .badge")).to_have_text("Disabled")

    await page.get_by_role("link", name="Activity").click()
    acts = page.get_by_role("table", name="Audit log").locator("tbody tr")
    await expect(acts).to_have_count(3)
    await expect(acts.first).to_contain_text("enabled")
    await page.get_by_role("link", name="Settings").click()
    await console.click("Delete")
    await expect(page.get_by_role("dialog")).to_contain_text("This cannot be undone")
    await console.confirm("Delete the client")
    await expect(page.get_by_role("heading", name="Clients")).to_be_visible()
    await console.fill("Search by client ID", "made-here")
    await expect(page.get_by_role("heading", name="No client found")).to_be_visible()


async def test_what_somebody_else_changed_meanwhile_is_not_overwritten(console: Console) -> None:
    console.expected.append("412")
    await console.open_client("stock-de", "settings")
    path = f"/clients/{console.scene.uuids['stock-de']}"
    console.scene.admin.call("PUT", path, json={"name": "Meanwhile"})
    await console.fill("Description", "Too late")
    await console.click("Save")
    await expect(console.page.get_by_role("alert")).to_contain_text("changed by another request")
    assert console.scene.admin.call("GET", path).json()["name"] == "Meanwhile"


async def test_leaving_with_something_unsaved_is_asked_about(console: Console) -> None:
    await console.open_client("stock-fr", "settings")
    await console.fill("Name", "Unsaved")
    await console.page.get_by_role("link", name="Fleet", exact=True).click()
    await console.confirm("Cancel")
    await expect(console.page.get_by_label("Name", exact=True)).to_have_value("Unsaved")
    await console.page.get_by_role("link", name="Fleet", exact=True).click()
    await console.confirm("Leave")
    await expect(console.page.get_by_role("heading", name="Fleet")).to_be_visible()


async def test_a_client_that_is_not_there_is_said_so(console: Console) -> None:
    console.expected.append("404")
    await console.open("clients/00000000-0000-0000-0000-000000000000/credentials")
    await expect(console.page.get_by_role("alert")).to_contain_text("Could not find client")
    await console.page.get_by_role("link", name="Clients").last.click()
    await expect(console.page.locator("tbody tr")).to_have_count(25)
    assert re.search(rf"/console/{REALM}/clients$", console.page.url)
