"""Editing: one Save for all settings of a tab, and no edit is lost or overwrites another's."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenConsole
from tests.browser.console import Console
from tests.testkit.console_session import COOKIE

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_one_save_takes_the_authenticator_and_its_settings_after_one_confirmation(
    console: Console,
) -> None:
    page, admin = console.page, console.scene.admin
    path = f"/clients/{console.scene.client('one-save')}"
    await console.open_client("one-save")
    await expect(page.get_by_role("button", name="Save")).to_have_count(1)
    await console.choose("Client Authenticator", "client-x509")
    await console.fill("DNS name", "one-save.example")
    await page.get_by_label("DNS name").press("Enter")
    await expect(page.get_by_role("dialog")).to_contain_text("Every node rejects the current method")
    await console.confirm("Cancel")
    await expect(page.get_by_role("alert")).to_contain_text("Nothing was saved")
    assert admin.call("GET", path).json()["clientAuthenticatorType"] == "client-secret"
    before = admin.call("GET", "/event-log?max=1").json()[0]["sequence"]
    await console.click("Save")
    await console.confirm("Switch")
    await console.expect_toast("Saved. Safe now")
    saved = admin.call("GET", path).json()
    assert saved["clientAuthenticatorType"] == "client-x509"
    assert saved["attributes"]["x509.san.dns"] == "one-save.example"
    events = admin.call("GET", f"/event-log?after={before}").json()
    assert [event["client_id"] for event in events].count("one-save") == 1


async def test_nothing_replaces_a_credential_while_something_is_unsaved(console: Console) -> None:
    page = console.page
    console.scene.client("guarded")
    await console.open_client("guarded")
    regenerate = page.get_by_role("button", name="Regenerate")
    await expect(page.get_by_role("button", name="Save")).to_be_disabled()
    await console.choose("Allowed method", "client_secret_post")
    await expect(regenerate).to_be_disabled()
    await expect(page.get_by_text("Save or discard your changes first")).to_be_visible()
    await console.click("Discard the changes")
    await expect(page.get_by_label("Allowed method")).to_have_value("")
    await expect(regenerate).to_be_enabled()
    await console.choose("Client Authenticator", "client-jwt")
    await page.get_by_label("Certificate or key").check()
    generate = page.get_by_role("button", name="Generate new keys")
    await expect(generate).to_be_disabled()
    await expect(page.get_by_role("button", name="Import")).to_be_disabled()
    await console.click("Save")
    await console.confirm("Switch")
    await console.expect_toast("Saved.")
    await page.get_by_label("Certificate or key").check()
    await expect(generate).to_be_enabled()


async def test_what_somebody_else_changed_is_shown_and_the_own_edits_are_made_anew(console: Console) -> None:
    console.expected.append("412")
    page, admin = console.page, console.scene.admin
    path = f"/clients/{console.scene.client('both-edit', description='At first')}"
    await console.open_client("both-edit", "settings")
    admin.call("PUT", path, json={"name": "Meanwhile", "description": "Theirs"})
    await console.fill("Description", "Mine")
    await console.fill("Access token audiences", "mine")
    await console.click("Save")
    await expect(page.get_by_role("alert")).to_contain_text("Somebody else has changed this")
    assert admin.call("GET", path).json()["name"] == "Meanwhile"
    await console.click("Read it again")
    rows = page.get_by_role("table", name="Differences").locator("tbody tr")
    await expect(rows).to_have_count(2)
    for row, cells in (
        (0, ["Name", "–none", "Meanwhile", "–none"]),
        (1, ["Description", "At first", "Theirs", "Mine"]),
    ):
        await expect(rows.nth(row).locator("td")).to_have_text(cells)
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Meanwhile")
    await expect(page.get_by_label("Description")).to_have_value("Mine")
    await console.click("Save")
    await console.expect_toast("Saved.")
    saved = admin.call("GET", path).json()
    assert (saved["name"], saved["description"]) == ("Meanwhile", "Mine")
    assert saved["attributes"]["keyturn.audiences"] == "mine"


async def test_an_edited_choice_of_authenticator_survives_reading_again(console: Console) -> None:
    console.expected.append("412")
    page, admin = console.page, console.scene.admin
    path = f"/clients/{console.scene.client('both-switch')}"
    await console.open_client("both-switch")
    await console.choose("Client Authenticator", "client-x509")
    await console.fill("Subject DN", "CN=mine")
    admin.call("PUT", path, json={"attributes": {"x509.subjectdn": "CN=theirs"}})
    await console.click("Save")
    await console.confirm("Switch")
    await console.click("Read it again")
    row = page.get_by_role("table", name="Differences").locator("tbody tr")
    await expect(row.locator("td")).to_have_text(["Subject DN", "–none", "CN=theirs", "CN=mine"])
    await expect(page.get_by_label("Client Authenticator")).to_have_value("client-x509")
    await expect(page.get_by_label("Subject DN", exact=True)).to_have_value("CN=mine")


async def test_a_policy_that_somebody_else_changed_is_read_again_with_the_edits(console: Console) -> None:
    page, admin = console.page, console.scene.admin
    uuid = console.scene.client("both-policy")
    await console.open(f"clients/{uuid}/rotation")
    admin.call("PUT", f"/clients/{uuid}", json={"attributes": {"keyturn.rotation.jitter": "7200"}})
    await console.fill("Rotate every (days)", "40")
    await console.click("Check and save")
    await console.confirm("Save the policy")
    await console.click("Read it again")
    row = page.get_by_role("table", name="Differences").locator("tbody tr")
    await expect(row).to_contain_text("Jitter (hours)")
    await expect(page.get_by_label("Rotate every (days)")).to_have_value("40")
    await expect(page.get_by_label("Jitter (hours)")).to_have_value("2")


async def test_deleting_what_somebody_else_changed_asks_to_read_it_again(console: Console) -> None:
    console.expected.append("412")
    page, admin = console.page, console.scene.admin
    path = f"/clients/{console.scene.client('both-delete')}"
    await console.open_client("both-delete", "settings")
    admin.call("PUT", path, json={"name": "Meanwhile"})
    await console.click("Delete")
    await console.confirm("Delete the client")
    await expect(page.get_by_role("dialog")).to_contain_text("Nothing was done")
    await console.confirm("Read it again")
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Meanwhile")


async def test_leaving_with_something_unsaved_is_asked_about(console: Console) -> None:
    page = console.page
    name = page.get_by_label("Name", exact=True)
    await console.open_client("stock-fr", "settings")
    assert await page.evaluate("dispatchEvent(new Event('beforeunload', {cancelable: true}))")
    await console.fill("Name", "Unsaved")
    await page.get_by_role("link", name="Fleet", exact=True).click()
    await console.confirm("Cancel")
    await expect(name).to_have_value("Unsaved")
    # Reloading and closing: the browser asks.
    assert not await page.evaluate("dispatchEvent(new Event('beforeunload', {cancelable: true}))")
    await page.get_by_role("link", name="Fleet", exact=True).click()
    await console.confirm("Leave")
    await expect(page.get_by_role("heading", name="Fleet")).to_be_visible()


async def test_going_back_with_something_unsaved_is_asked_about(console: Console) -> None:
    page = console.page
    name = page.get_by_label("Name", exact=True)
    await console.open("fleet")
    await page.get_by_role("link", name="Clients", exact=True).click()
    await page.get_by_role("link", name="basket-de").click()
    await page.get_by_role("link", name="Settings").click()
    await console.fill("Name", "Unsaved")
    await page.go_back()
    await console.confirm("Cancel")
    await expect(name).to_have_value("Unsaved")
    assert page.url.endswith("/settings")
    await page.go_back()
    await console.confirm("Leave")
    await expect(name).to_have_count(0)


async def test_the_end_of_the_session_keeps_what_is_unsaved(open_console: OpenConsole) -> None:
    console = await open_console()
    console.expected += ["401", "EventSource"]
    page, scene = console.page, console.scene
    admin = scene.stack.local["admin"]
    uuid = scene.client("long-work")
    await console.open_client("long-work", "settings")
    await console.fill("Description", "An hour of work")
    await console.context.clear_cookies()
    await console.click("Save")
    await expect(page.get_by_role("alert")).to_contain_text("what you have not saved is still here")
    assert "An hour of work" not in await page.content()
    await console.fill("Client secret", admin["client_secret"])
    await console.click("Sign in")
    await expect(page.get_by_label("Description")).to_have_value("An hour of work")
    await console.click("Save")
    await console.expect_toast("Saved.")
    assert scene.admin.call("GET", f"/clients/{uuid}").json()["description"] == "An hour of work"


async def test_work_renews_the_session_and_an_open_page_does_not(open_console: OpenConsole) -> None:
    console = await open_console(signed_in=True)
    page = console.page
    await page.clock.install()
    await console.open("clients")
    [before] = [cookie for cookie in await console.context.cookies() if cookie["name"] == COOKIE]
    renewals: list[str] = []
    page.on(
        "request",
        lambda request: renewals.append(request.method) if request.url.endswith("/session") else None,
    )
    await page.clock.fast_forward("06:00")
    assert "PUT" not in renewals
    async with page.expect_response(lambda answer: answer.request.method == "PUT") as renewed:
        await page.get_by_label("Search by client ID").press("a")
    assert (await renewed.value).status == 200
    [after] = [cookie for cookie in await console.context.cookies() if cookie["name"] == COOKIE]
    assert after["value"] != before["value"]
    await page.get_by_label("Search by client ID").press("b")
    assert renewals.count("PUT") == 1, "once for some minutes of work"
