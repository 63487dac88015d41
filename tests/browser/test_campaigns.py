"""A campaign in the browser: chosen, shown, begun, stopped, continued, and what became of each client."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from playwright.async_api import Locator, Route, expect

from tests.browser.conftest import OpenConsole
from tests.browser.console import Console
from tests.testkit.console_realm import REALM
from tests.testkit.console_session import COOKIE, give_cookie, sign_in
from tests.testkit.local_stack import ask_token

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("made_for_this_test")]


async def team(console: Console, name: str, count: int = 3) -> dict[str, str]:
    """Make clients with one attribute; return their secrets by client id."""
    scene = console.scene
    made = {
        client_id: scene.admin.secret(scene.client(client_id, attributes={"campaign": name}))
        for client_id in (f"{name}-{number}" for number in range(count))
    }
    await asyncio.sleep(1.1)  # a secret's time of creation has whole seconds
    return made


async def choose(console: Console, name: str) -> None:
    await console.open("rotations/campaign")
    await console.fill("Attributes", f"campaign:{name}")
    await console.click("Show the clients")


def state_of(console: Console, client_id: str) -> list[str]:
    listed = console.scene.admin.call("GET", f"/clients/{console.scene.uuids[client_id]}/rotations").json()
    return [rotation["state"] for rotation in listed]


def fact(console: Console, name: str) -> Locator:
    named = console.page.locator("dt").filter(has_text=re.compile(f"^{name}$"))
    return console.page.locator("dl > div").filter(has=named).locator("dd")


async def test_nothing_happens_before_the_list_is_seen_and_confirmed(console: Console) -> None:
    page, scene = console.page, console.scene
    secrets = await team(console, "calm")
    await console.open("rotations")
    await page.get_by_role("link", name="Rotate many clients").click()
    await expect(page.get_by_role("heading", name="Rotate many clients")).to_be_focused()
    await console.fill("Client ID contains", "CALM-")
    await console.fill("Attributes", "campaign:calm")
    await console.choose("Authenticator", "client-secret-jwt")
    await console.click("Show the clients")
    await expect(page.get_by_role("heading", name="No client has such a secret")).to_be_visible()
    await console.choose("Authenticator", "client-secret")
    await console.click("Show the clients")
    rows = page.get_by_role("table", name="Clients to rotate").locator("tbody tr")
    await expect(rows).to_have_count(3)
    await console.click("Start")
    await expect(page.get_by_role("dialog")).to_contain_text("Rotate the secrets of 3 clients?")
    await console.confirm("Cancel")
    assert all(state_of(console, client_id) == [] for client_id in secrets)

    await console.click("Start")
    await console.confirm("Rotate them")
    await expect(page.get_by_role("heading", name="Done", exact=True)).to_be_focused()
    await expect(fact(console, "Begun")).to_have_text("3 of 3")
    await expect(fact(console, "Nodes")).to_have_text("Safe now: 3 of 3 nodes applied the last change")
    node = scene.stack.node_urls[0]
    for client_id, former in secrets.items():
        new = scene.admin.secret(scene.uuids[client_id])
        assert new != former
        assert [ask_token(node, REALM, client_id, each).status_code for each in (former, new)] == [200, 200]
    await console.click("Look again")
    await expect(page.get_by_role("heading", name="No client has such a secret")).to_be_visible()


async def test_compromised_secrets_end_and_a_time_ahead_of_the_servers_is_refused(console: Console) -> None:
    page, scene = console.page, console.scene
    secrets = await team(console, "leaked", 2)
    await console.open("rotations/campaign")
    await console.fill("Attributes", "campaign:leaked")
    await console.fill("Secret made before", "2099-01-01T00:00:00")
    await console.click("Show the clients")
    await expect(page.locator(".problem")).to_contain_text("On the server it is only")
    await expect(page.get_by_label("Secret made before")).to_be_focused()
    await console.fill("Secret made before", "")
    await console.click("Show the clients")
    await page.get_by_label("The secrets are compromised").check()
    await expect(page.get_by_label("First clients", exact=True)).to_be_disabled()
    await console.click("Start")
    await expect(page.get_by_role("dialog")).to_contain_text("no tokens until they have their new secrets")
    await console.confirm("End them")
    await expect(fact(console, "Begun")).to_have_text("2 of 2")
    node = scene.stack.node_urls[0]
    assert [ask_token(node, REALM, *each).status_code for each in secrets.items()] == [401, 401]


async def test_it_is_stopped_and_continued_by_its_address(console: Console) -> None:
    page = console.page
    secrets = await team(console, "stopped", 4)
    await choose(console, "stopped")
    await console.fill("Rotations a second", "0.5")
    await console.click("Start")
    await console.confirm("Rotate them")
    bar = page.get_by_role("progressbar", name="Clients done")
    await expect(bar).to_have_js_property("value", 1)
    await console.click("Stop")
    await expect(page.get_by_role("heading", name="Stopped")).to_be_focused()
    await expect(page.get_by_text("You stopped it.")).to_be_visible()
    begun = sum(state_of(console, client_id) != [] for client_id in secrets)
    assert begun in (1, 2)
    before = page.get_by_label("Secret made before")
    await page.reload()
    await expect(page.get_by_label("Attributes")).to_have_value("campaign:stopped")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", await before.input_value())
    await console.click("Show the clients")
    await expect(page.get_by_role("heading", name=f"{4 - begun} client")).to_be_visible()
    await console.click("Start")
    await console.confirm("Rotate them")
    await expect(fact(console, "Begun")).to_have_text(f"{4 - begun} of {4 - begun}")
    assert all(len(state_of(console, client_id)) == 1 for client_id in secrets)


async def test_leaving_asks_first_whichever_way(console: Console) -> None:
    page = console.page
    secrets = await team(console, "left", 3)
    await console.open("rotations")
    await page.get_by_role("link", name="Rotate many clients").click()
    await console.fill("Attributes", "campaign:left")
    await console.click("Show the clients")
    await console.fill("Rotations a second", "0.2")
    await console.click("Start")
    await console.confirm("Rotate them")
    await expect(page.get_by_role("progressbar")).to_have_js_property("value", 1)
    dialog = page.get_by_role("dialog")
    await page.get_by_role("link", name="Events").click()
    await expect(dialog).to_contain_text("1 of 3 clients are done.")
    await console.confirm("Cancel")
    await page.evaluate("history.back()")
    await expect(dialog).to_contain_text("Stop the campaign?")
    await console.confirm("Cancel")
    assert page.url.partition("?")[0].endswith("/rotations/campaign")
    await console.click("Sign out")
    await expect(dialog).to_contain_text("Stop the campaign?")
    await console.confirm("Cancel")
    asked: list[str] = []

    async def stay(native: Any) -> None:
        asked.append(native.type)
        await native.dismiss()

    page.on("dialog", stay)
    await page.evaluate("setTimeout(() => location.reload())")
    await expect(page.get_by_role("progressbar")).to_be_visible()
    for _ in range(100):
        if asked:
            break
        await asyncio.sleep(0.05)
    assert asked == ["beforeunload"]
    page.remove_listener("dialog", stay)
    await page.evaluate("history.back()")
    await console.confirm("Stop and leave")
    await expect(page.get_by_role("heading", name="Client rotations")).to_be_visible()
    await console.settled()
    done = [client_id for client_id in secrets if state_of(console, client_id)]
    await asyncio.sleep(6)
    assert [client_id for client_id in secrets if state_of(console, client_id)] == done, "it has stopped"
    assert len(done) < 3
    await page.get_by_role("link", name="Events").click()
    await expect(page.get_by_role("heading", name="Events")).to_be_visible()


async def test_each_client_is_read_again_and_each_failure_is_named(console: Console) -> None:
    page, scene = console.page, console.scene
    console.expected += ["409", "404", "503"]
    secrets = await team(console, "mixed", 10)
    await choose(console, "mixed")
    names = list(secrets)
    rows = page.get_by_role("table", name="Clients to rotate").locator("tbody tr")
    await expect(rows).to_have_count(10)
    uuids = [scene.uuids[name] for name in names]
    await asyncio.sleep(1.1)
    scene.admin.call("POST", f"/clients/{uuids[0]}/client-secret")
    scene.admin.call("DELETE", f"/clients/{uuids[1]}")
    # Its rotation begins after it was read.
    scene.admin.call("POST", f"/clients/{uuids[2]}/rotations", json={})
    problem = {"detail": "the database does not answer", "code": "store_unavailable"}

    async def refuse(route: Route) -> None:
        await route.fulfill(status=503, json=problem, content_type="application/problem+json")

    for uuid in uuids[3:9]:
        await page.route(f"**/clients/{uuid}/rotations", refuse)
    await console.click("Start")
    await console.confirm("Rotate them")
    await expect(page.get_by_role("heading", name="Stopped")).to_be_visible()
    await expect(page.get_by_text("6 rotations could not be begun.")).to_be_visible()
    await expect(fact(console, "Skipped")).to_contain_text("mixed-0, mixed-1, mixed-2")
    failures = page.get_by_role("table", name="Failures").locator("tbody tr")
    await expect(failures).to_have_count(6)
    await expect(failures.first).to_contain_text("mixed-3")
    await expect(failures.first).to_contain_text("The database is not responding")
    assert state_of(console, names[9]) == []
    await page.unroute("**/clients/*/rotations")
    for uuid in uuids[3:9]:
        await page.unroute(f"**/clients/{uuid}/rotations")
    await console.click("Continue")
    await expect(page.get_by_role("heading", name="7 clients")).to_be_focused()
    await console.click("Start")
    await console.confirm("Rotate them")
    await expect(fact(console, "Begun")).to_have_text("7 of 7")


async def test_the_others_follow_once_the_first_clients_use_their_secrets(console: Console) -> None:
    page, scene = console.page, console.scene
    await team(console, "canary", 3)
    await choose(console, "canary")
    await console.fill("First clients", "1")
    await console.fill("Wait for the first clients (s)", "2")
    await console.click("Start")
    await console.confirm("Rotate them")
    await expect(page.get_by_role("heading", name="Stopped")).to_be_visible()
    await expect(
        page.get_by_text("Not used in time: the new secrets of 1 of the first 1 clients.")
    ).to_be_visible()
    await expect(page.get_by_role("link", name="Rotation of canary-0")).to_be_visible()
    assert [state_of(console, f"canary-{number}") for number in (1, 2)] == [[], []]

    await console.click("Continue")
    await console.fill("First clients", "1")
    await console.fill("Wait for the first clients (s)", "100")
    await console.click("Start")
    await console.confirm("Rotate them")
    await expect(page.get_by_text("Waiting for 1 of the first 1 clients")).to_be_visible()
    new = scene.admin.secret(scene.uuids["canary-1"])
    ask_token(scene.stack.node_urls[0], REALM, "canary-1", new).raise_for_status()
    await expect(page.get_by_role("heading", name="Done", exact=True)).to_be_visible()
    await expect(fact(console, "Begun")).to_have_text("2 of 2")


async def test_the_own_client_is_left_out_and_wrong_numbers_are_named(open_console: OpenConsole) -> None:
    console = await open_console(signed_in=False)
    page, scene = console.page, console.scene
    attributes = {"keyturn.admin.roles": "manage-clients", "campaign": "own"}
    uuid = scene.client("own-admin", attributes=attributes)
    await team(console, "own", 1)
    credentials = {"realm": REALM, "client_id": "own-admin", "client_secret": scene.admin.secret(uuid)}
    session = sign_in(scene.stack, credentials).cookies[COOKIE]
    await give_cookie(console.context, console.base, session)
    await choose(console, "own")
    await expect(page.get_by_role("heading", name="1 client", exact=True)).to_be_visible()
    await expect(
        page.get_by_text("Your own client, which you are signed in with, is left out.")
    ).to_be_visible()
    await console.fill("Rotations a second", "0")
    await console.fill("First clients", "1.5")
    await console.click("Start")
    await expect(page.locator(".problem")).to_have_text(
        ["Enter a number from 0.01 to 1000.", "Enter a whole number from 0 to 100000."]
    )
    await expect(page.get_by_label("Rotations a second")).to_be_focused()
    assert state_of(console, "own-0") == []


async def test_a_campaign_whose_session_ends_is_continued_after_the_next_sign_in(
    open_console: OpenConsole,
) -> None:
    console = await open_console(signed_in=False)
    console.expected.append("401")
    page, scene = console.page, console.scene
    session = sign_in(scene.stack)
    await give_cookie(console.context, console.base, session.cookies[COOKIE])
    await team(console, "ended", 2)
    await choose(console, "ended")
    await console.fill("Rotations a second", "0.3")
    await console.click("Start")
    await console.confirm("Rotate them")
    await expect(page.get_by_role("progressbar")).to_have_js_property("value", 1)
    async with httpx.AsyncClient(base_url=console.base, trust_env=False, timeout=30) as http:
        headers = {"X-CSRF-Token": session.json()["csrf"], "Origin": console.base}
        cookies = {"Cookie": f"{COOKIE}={session.cookies[COOKIE]}"}
        (await http.delete("/console/session", headers=headers | cookies)).raise_for_status()
    await expect(page.get_by_text("Your session has ended.")).to_be_visible()
    admin = scene.stack.local["admin"]
    await console.fill("Client ID", admin["client_id"])
    await console.fill("Client secret", admin["client_secret"])
    await console.click("Sign in")
    await expect(page.get_by_label("Attributes")).to_have_value("campaign:ended")
    await console.click("Show the clients")
    await expect(page.get_by_role("heading", name="1 client", exact=True)).to_be_visible()
    await page.get_by_role("link", name="Events").click()
    await expect(page.get_by_role("heading", name="Events")).to_be_visible()
