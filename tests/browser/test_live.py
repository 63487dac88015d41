"""Live updates of the console: propagating changes, events and audit entries."""

import json
import os
import re
import signal
from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from tests.browser.conftest import OpenConsole
from tests.browser.console import Console, saved

IN_WORDS = """
async (fleet) => (await import("/console/static/js/parts/on-its-way.js")).inWords(fleet, 7)
"""
pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_change_flows_over_the_nodes_with_its_milliseconds_and_is_safe(console: Console) -> None:
    page = console.page
    await console.open("fleet")
    await expect(page.locator(".verdict")).to_contain_text("Safe now")
    nodes = page.get_by_role("table", name="Nodes").locator("tbody tr")
    await expect(nodes).to_have_count(3)
    for part in ("node-1", "Applied", "at the head", "s left"):
        await expect(nodes.first).to_contain_text(part)
    console.scene.admin.call("POST", f"/clients/{console.scene.uuids['stock-pl']}/client-secret")
    flow = page.locator(".flows .flow").filter(has_text="stock-pl")
    await expect(flow).to_contain_text("Client secret rotated")
    await expect(flow).to_contain_text(re.compile(r"Safe after \d+ ms"))
    for node in ("node-1", "node-2", "node-3"):
        await expect(flow).to_contain_text(re.compile(rf"{node} \d+ ms"))
    await console.click("Send a test change")
    await expect(page.locator(".flows .flow").first).to_contain_text(
        re.compile(r"Realm updated.*Safe after", re.DOTALL)
    )


async def test_a_node_that_does_not_answer_is_waited_for_on_screen(open_console: OpenConsole) -> None:
    console = await open_console("fleet")
    page = console.page
    await expect(page.locator(".verdict")).to_contain_text("Safe now")
    pid = console.scene.stack.local["nodes"][2]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        await console.click("Send a test change")
        await expect(page.locator(".verdict")).to_contain_text("Propagating")
        await expect(page.locator(".verdict")).to_contain_text("node-3")
        await expect(page.locator(".pulse")).to_contain_text("1 pending")
        await expect(page.locator(".flows .flow").first).to_contain_text("2 of 3 nodes")
    finally:
        os.kill(pid, signal.SIGCONT)
    await expect(page.locator(".verdict")).to_contain_text("Safe now")
    await expect(page.locator(".flows .flow").first).to_contain_text("Safe after")


async def test_events_come_live_and_can_be_narrowed_and_paused(console: Console) -> None:
    page, scene = console.page, console.scene
    await console.open("events")
    rows = page.get_by_role("table", name="Events").locator("tbody tr")
    newest = await rows.first.locator("code").first.inner_text()
    uuid = scene.client("evented")
    await expect(rows.first).to_contain_text("evented")
    assert await rows.first.locator("code").first.inner_text() != newest
    await console.choose("Type", "client_secret_rotated")
    await console.fill("Client ID", "evented")
    await expect(page.get_by_role("heading", name="Nothing to show")).to_be_visible()
    scene.admin.call("POST", f"/clients/{uuid}/client-secret")
    await expect(rows).to_have_count(1)
    await expect(rows.first).to_contain_text("Former accepted until")
    await console.click("Pause")
    scene.admin.call("POST", f"/clients/{uuid}/client-secret")
    await expect(page.get_by_text("Paused")).to_be_visible()
    await expect(rows).to_have_count(1)
    await console.click("Resume")
    await expect(rows).to_have_count(2)


async def test_the_audit_log_is_live_narrowed_gone_through_and_exported(
    console: Console, tmp_path: Path
) -> None:
    page, scene = console.page, console.scene
    for number in range(10):
        scene.admin.call("PUT", f"/clients/{scene.uuids['tax-de']}", json={"name": f"Tax {number}"})
    await console.open("audit")
    rows = page.get_by_role("table", name="Audit log").locator("tbody tr")
    await expect(rows).to_have_count(50)
    await console.click("Older entries")
    await expect(rows).not_to_have_count(50)
    await console.fill("Client ID", "audited")
    await expect(page.get_by_role("heading", name="Nothing to show")).to_be_visible()
    uuid = scene.client("audited")
    scene.admin.call("PUT", f"/clients/{uuid}", json={"name": "Audited", "attributes": {"team": "a"}})
    await expect(rows).to_have_count(2)
    admin = scene.stack.local["admin"]["client_id"]
    for part in (admin, "127.0.0.1", "Client updated", "name: – → Audited", "team: – → a"):
        await expect(rows.first).to_contain_text(part)
    await console.fill("Who", "nobody")
    await expect(page.get_by_role("heading", name="Nothing to show")).to_be_visible()
    await console.fill("Who", admin)
    async with page.expect_download() as downloading:
        await console.click("Export JSON lines")
    exported = map(json.loads, (await saved(await downloading.value, tmp_path)).splitlines())
    assert [(entry["client_id"], entry["action"]) for entry in exported] == [
        ("audited", "client_created"),
        ("audited", "client_updated"),
    ]


async def test_a_lost_connection_is_said_and_comes_back(open_console: OpenConsole) -> None:
    console = await open_console("fleet")
    console.expected += ["ERR_INTERNET_DISCONNECTED", "ERR_"]
    await expect(console.page.locator(".pulse")).to_contain_text("Safe now")
    await console.context.set_offline(True)
    await console.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(console.page.locator(".pulse")).to_contain_text("No connection")
    await console.click("Send a test change")
    await console.expect_toast("The server is not responding")
    await console.context.set_offline(False)
    await expect(console.page.locator(".pulse")).to_contain_text("Safe now")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("unknown", "How many nodes have it is not known"),
        ("nodes=3, applied=1, fenced=1, pending=1", "1 of 3 nodes have not confirmed it yet"),
        ("nodes=3, applied=2, fenced=1, pending=1", "It has not been published to the nodes yet"),
    ],
)
async def test_a_message_has_no_number_that_is_not_known(
    open_console: OpenConsole, header: str, said: str
) -> None:
    console = await open_console()
    page = console.page

    async def answer(route: Route) -> None:
        if route.request.method != "PUT":
            await route.continue_()
            return
        response = await route.fetch()
        left = {name: value for name, value in response.headers.items() if name != "preference-applied"}
        await route.fulfill(response=response, headers={**left, "keyturn-fleet": header})

    await page.route("**/admin/realms/shop/clients/*", answer)
    await console.open_client("stock-pl", "settings")
    await console.fill("Description", f"Changed while the fleet is {header}")
    await console.click("Save")
    await console.expect_toast(f"Saved. {said}")


async def test_the_way_of_a_change_has_no_number_that_is_not_known(console: Console) -> None:
    """While Redis may have forgotten nodes, their number is not known, however many it has again."""
    node = {"applied": 7, "lease": "held", "serves_stale": False}
    known = {"trusted": True, "waits_settled_in_ms": 0, "nodes": [node, {**node, "applied": 6}]}
    for fleet, said in (
        (known, "On its way: 1 of 2 nodes have this change."),
        ({**known, "nodes": [node]}, "Safe now: 1 of 1 nodes have this change."),
        ({**known, "nodes": [node, {**node, "applied": 6, "lease": "expired"}]}, "and 1 cannot answer"),
        ({**known, "waits_settled_in_ms": 500}, "is not known now"),
        ({**known, "trusted": False}, "is not known now"),
        ({"error": "redis_unavailable"}, "is not known now"),
    ):
        words = await console.page.evaluate(
            "async (fleet) => (await import('/console/static/js/parts/on-its-way.js')).inWords(fleet, 7)",
            fleet,
        )
        assert said in words


async def test_actions_of_the_audit_log_are_found_as_they_are_shown(console: Console) -> None:
    console.scene.admin.call("POST", f"/clients/{console.scene.uuids['stock-pl']}/clear-keys-cache")
    await console.open("audit")
    rows = console.page.get_by_role("table", name="Audit log").locator("tbody tr")
    await console.fill("Action", "Client keys cache cleared")
    await expect(rows.filter(has_not_text="Client keys cache cleared")).to_have_count(0)
    await expect(rows.first).to_contain_text("stock-pl")
    await console.fill("Action", "client_keys_cache_cleared")
    await expect(rows.first).to_contain_text("stock-pl")
