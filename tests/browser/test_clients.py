"""The list of clients, and a client's settings."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.console import Console
from tests.testkit.console_realm import REALM
from tests.testkit.local_stack import ask_token
from tests.testkit.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_clients_are_listed_page_by_page_and_found_by_part_of_their_id(console: Console) -> None:
    page, rows = console.page, console.page.locator("tbody tr")
    await expect(rows).to_have_count(25)
    await console.click("Next")
    await expect(rows.first).not_to_contain_text("basket-de")
    assert page.url.endswith("?first=25")
    await page.reload()
    await expect(page.locator(".pager")).to_contain_text(re.compile(r"26–\d\d of \d\d clients"))
    await console.click("Previous")
    await expect(rows).to_have_count(25)
    await page.go_back()
    await expect(page.locator(".pager")).to_contain_text("26–")
    await page.go_back()
    await expect(page.locator(".pager")).to_contain_text(re.compile(r"1–25 of \d\d clients"))
    await console.choose("Clients per page", "100")
    await expect(page.locator(".pager")).to_contain_text(re.compile(r"1–(\d\d) of \1 clients"))
    assert page.url.endswith("?max=100")
    await page.reload()
    await expect(page.get_by_label("Clients per page")).to_have_value("100")
    await console.choose("Clients per page", "25")
    await expect(rows).to_have_count(25)
    await console.fill("Search by client ID", "BASKET")
    await expect(rows).to_have_count(4)
    await expect(page.get_by_role("status").filter(has_text="4 clients found")).to_have_count(1)
    await console.fill("Search by client ID", "basket-de")
    await expect(page.get_by_role("status").filter(has_text="1 client found")).to_have_count(1)
    await console.fill("Search by client ID", "")
    await console.fill("Search by attributes", "x509.subjectdn:CN=checkout,OU=Payments,O=Example")
    await expect(rows).to_have_count(1)
    await expect(rows.first).to_contain_text("checkout")
    await console.fill("Search by attributes", "team:nobody")
    await expect(page.get_by_text("has these attributes")).to_be_visible()
    await console.click("Clear search")
    await expect(rows).to_have_count(25)
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


@pytest.mark.usefixtures("made_for_this_test")
async def test_a_client_with_a_certificate_is_set_up_by_any_name_or_by_its_key(console: Console) -> None:
    page, scene = console.page, console.scene
    for client_id, attributes, said in (
        ("aa-by-dns", {"x509.san.dns": "billing.example"}, "DNS name"),
        ("aa-by-uri", {"x509.san.uri": "spiffe://example/billing"}, "URI"),
        ("aa-by-ip", {"x509.san.ip": "192.0.2.1"}, "IP address"),
        ("aa-by-email", {"x509.san.email": "billing@example.com"}, "Email"),
        ("aa-by-key", {"x509.self.signed": "true"}, "Its own key"),
    ):
        scene.client(client_id, clientAuthenticatorType="client-x509", attributes=attributes)
        await console.open(f"clients?search={client_id}")
        row = page.get_by_role("row").filter(has=page.get_by_role("link", name=client_id))
        await expect(row).to_contain_text(said)
        await expect(row).not_to_contain_text("Not set up")


async def test_an_address_without_a_page_is_said_to_have_none(console: Console) -> None:
    page = console.page
    await console.open("clents")
    await expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    await page.get_by_role("link", name="Show the clients").click()
    await expect(page.locator("tbody tr")).to_have_count(25)
    await console.open_client("orders", "no-such-tab")
    await expect(page.get_by_role("heading", name="Page not found")).to_be_visible()


async def test_a_toast_keeps_nobody_from_what_is_below_it(console: Console) -> None:
    page = console.page
    await console.open_client("stock-pl", "settings")
    await console.fill("Description", "Toasted")
    await console.click("Save")
    await console.expect_toast("Saved.")
    toast = await page.locator(".toast").bounding_box()
    assert toast is not None
    reached = await page.evaluate(
        "([x, y]) => document.elementFromPoint(x, y).closest('.toast') === null",
        [toast["x"] + 5, toast["y"] + 5],
    )
    assert reached
    await console.click("Dismiss")
    await expect(page.locator(".toast")).to_have_count(0)


async def test_a_client_is_made_changed_disabled_and_deleted(console: Console) -> None:
    page = console.page
    await console.click("New client", within=page.locator("header"))
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
    changes = acts.filter(has_not_text="Secret shown")
    await expect(changes).to_have_count(3)
    await expect(changes.first).to_contain_text("enabled")
    await page.get_by_role("link", name="Settings").click()
    await console.click("Delete")
    await expect(page.get_by_role("dialog")).to_contain_text("This cannot be undone")
    await console.confirm("Delete the client")
    await expect(page.get_by_role("heading", name="Clients")).to_be_visible()
    await console.fill("Search by client ID", "made-here")
    await expect(page.get_by_role("heading", name="No client found")).to_be_visible()


async def test_a_client_that_is_not_there_is_said_so(console: Console) -> None:
    console.expected.append("404")
    await console.open("clients/00000000-0000-0000-0000-000000000000/credentials")
    await expect(console.page.get_by_role("alert")).to_contain_text("Could not find client")
    await console.page.get_by_role("link", name="Clients").last.click()
    await expect(console.page.locator("tbody tr")).to_have_count(25)
    assert re.search(rf"/console/{REALM}/clients$", console.page.url)


async def test_the_client_s_page_says_why_it_was_refused(console: Console) -> None:
    page, scene = console.page, console.scene
    scene.client("refused-lately")
    await console.open_client("refused-lately", "activity")
    card = console.card("Refused authentications")
    await expect(card).to_contain_text("None recorded")
    assert ask_token(scene.stack.node_urls[0], REALM, "refused-lately", "wrong").status_code == 401

    async def is_shown() -> bool:
        await console.click("Look again")
        return await card.get_by_text("wrong_secret").count() == 1

    await wait_until(is_shown, interval=0.5)
    await expect(card.locator("tbody tr")).to_contain_text(["client_secret_basic"])
    await expect(page.get_by_role("table", name="Audit log")).to_contain_text("Client created")
