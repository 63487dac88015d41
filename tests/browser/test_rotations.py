"""Rotations: on their way, and their history."""

import json

import pytest
from playwright.async_api import Locator, expect

from keyturn_shared.jose.signing import SigningKey
from tests.browser.console import Console
from tests.testkit.waiting import wait_until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("made_for_this_test")]


def row_of(console: Console, client_id: str) -> Locator:
    rows = console.card("Client rotations").locator("tbody tr")
    return rows.filter(has=console.page.get_by_role("link", name=client_id, exact=True))


async def begin(console: Console, client_id: str) -> str:
    """Make a client and begin its rotation; return its id."""
    uuid = console.scene.client(client_id)
    begun = console.scene.admin.call("POST", f"/clients/{uuid}/rotations", json={})
    return str(begun.json()["id"])


async def test_stages_and_calendar_show_every_secret_that_expires(console: Console) -> None:
    page, admin = console.page, console.scene.admin
    stages = (("Due", "reporting"), ("Overlapping", "orders"), ("Expired", "legacy-export"))

    def all_are_in_their_stages() -> bool:
        listed = admin.call("GET", "/expiring-secrets").json()
        known = {entry["client_id"]: entry["stage"] for entry in listed}
        return all(known[client] == stage.lower() for stage, client in stages)

    await wait_until(all_are_in_their_stages)
    await console.open("rotations")
    for stage, client in stages:
        there = page.locator(".stage").filter(has=page.get_by_role("heading", name=stage, exact=True))
        await expect(there.get_by_role("link", name=client)).to_be_visible()
    calendar = page.get_by_role("table", name="Upcoming in the next five weeks")
    await expect(calendar.locator("td")).to_have_count(35)
    await expect(calendar.get_by_role("link", name="basket-fr Rotation begins")).to_be_visible()
    await expect(calendar.get_by_role("link", name="orders Former secret ends")).to_be_visible()


async def test_a_rotation_is_held_up_and_given_up(console: Console) -> None:
    page = console.page
    await begin(console, "held-up")
    await console.open("rotations")
    row = row_of(console, "held-up")
    await expect(row).to_contain_text("New secret accepted")
    await expect(row).to_contain_text("the client to get the new secret")
    await expect(row).to_contain_text("if unused")
    await row.get_by_role("button", name="Pause").click()
    await console.expect_toast("The rotation is paused.")
    await expect(row).to_contain_text("somebody to resume it")
    await row.get_by_role("button", name="Resume").click()
    await console.expect_toast("The rotation goes on.")
    await row.get_by_role("button", name="Confirm delivery").click()
    await console.expect_toast("Noted: held-up has it.")
    await row.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("dialog")).to_contain_text("The former secret is the only one again.")
    await console.confirm("Cancel the rotation")
    await console.expect_toast("The rotation was cancelled. Safe now")
    await expect(row).to_have_count(0)


async def test_rotations_are_shown_by_state_and_follow_what_happens(console: Console) -> None:
    page, admin = console.page, console.scene.admin
    given_up = await begin(console, "shown-by-state")
    await console.open("rotations")
    await expect(row_of(console, "shown-by-state")).to_be_visible()
    await console.choose("Show", "planned")
    await expect(page.get_by_role("heading", name="No such rotation")).to_be_visible()
    await console.choose("Show", "cancelled,rolled_back,superseded")
    await expect(row_of(console, "shown-by-state")).to_have_count(0)
    admin.call("POST", f"/rotations/{given_up}/cancel")
    row = row_of(console, "shown-by-state")
    await expect(row, "without a reload").to_contain_text("Rolled back")
    await expect(row.get_by_role("button")).to_have_count(0)
    await console.choose("Show", "all")
    await expect(row).to_be_visible()


async def test_the_history_has_every_move_with_its_event(console: Console) -> None:
    page, scene = console.page, console.scene
    rotation = await begin(console, "with-history")
    await console.open("rotations")
    await row_of(console, "with-history").get_by_role("link", name="History of").click()
    await expect(page.get_by_role("heading", name="Rotation of with-history")).to_be_focused()
    facts = console.card("Progress")
    await expect(facts).to_contain_text("Manual")
    await facts.get_by_role("button", name="Cancel").click()
    await console.confirm("Cancel the rotation")
    await console.expect_toast("The rotation was cancelled.")
    moves = scene.admin.call("GET", f"/rotations/{rotation}").json()["history"]
    assert [move["state"] for move in moves][::2] == ["planned", "rolled_back"]
    rows = page.get_by_role("table", name="History").locator("tbody tr")
    await expect(rows).to_have_count(3)
    for row, move, name in zip(
        await rows.all(), reversed(moves), ("Rolled back", "New secret accepted", "Planned"), strict=True
    ):
        await expect(row).to_contain_text(name)
        if move["sequence"] is not None:
            await expect(row.locator("code")).to_have_text(f"#{move['sequence']}")
    assert moves[1]["sequence"]
    await page.get_by_role("link", name="Rotations", exact=True).last.click()
    await expect(page.get_by_role("heading", name="Client rotations")).to_be_visible()


async def test_one_that_failed_says_why(console: Console) -> None:
    page, scene = console.page, console.scene
    keys = [SigningKey.generate("ES256").public_jwk for _ in range(2)]
    attributes = {"use.jwks.string": "true", "jwks.string": json.dumps({"keys": keys[:1]})}
    uuid = scene.client("failing", clientAuthenticatorType="client-jwt", attributes=attributes)
    begun = scene.admin.call(
        "POST", f"/clients/{uuid}/rotations", json={"kind": "key", "jwk": keys[1]}
    ).json()
    (successor,) = begun["keys"]["successors"]
    await console.open("rotations")
    await expect(row_of(console, "failing")).to_be_visible()
    await console.choose("Show", "failed")
    scene.admin.call("POST", f"/clients/{uuid}/keys/{successor}/revoke")
    row = row_of(console, "failing")
    await expect(row, "without a reload").to_contain_text("Failed")
    await expect(row).to_contain_text("The new key was revoked or removed while the former one was accepted.")
    await expect(row.get_by_role("button")).to_have_count(0)
    await row.get_by_role("link", name="History of").click()
    await expect(page.locator(".notice.bad")).to_contain_text("The new key was revoked")
    await expect(page.get_by_role("table", name="History").locator("tbody tr").first).to_contain_text(
        "Failed"
    )


async def test_what_a_newer_server_answers_is_shown_by_its_name(console: Console) -> None:
    """States, conditions and alerts of rotations of keys, and some that nobody knows."""
    page = console.page
    known = {
        "reason": "policy",
        "paused": False,
        "start_at": 1.0,
        "created_at": 1.0,
        "deadline": None,
        "retire_at": None,
        "history": [{"state": "planned", "at": 1.0, "sequence": 1}],
    }
    cases = [
        ("key", "prepared", "successor", "successor_missing"),
        ("key", "retired", "withdrawal", "former_published"),
        ("passphrase", "being_carved", "full_moon", "chisel_blunt"),
    ]
    answer = [
        known
        | {"id": str(number), "client_uuid": str(number), "client_id": f"newer-{number}"}
        | {"kind": kind, "state": state, "waits_for": waits_for, "alert": alert}
        for number, (kind, state, waits_for, alert) in enumerate(cases)
    ]
    await page.route("**/rotations?state=open*", lambda route: route.fulfill(json=answer))
    await console.open("rotations")
    for number, texts in enumerate(
        [
            ("Key", "New key accepted", "the client’s new key", "The client has not published a new key."),
            ("Key", "Former key ended", "the client to stop publishing its former key", "still publishes"),
            ("Passphrase", "Being carved", "Full moon", "Chisel blunt"),
        ]
    ):
        for text in texts:
            await expect(row_of(console, f"newer-{number}")).to_contain_text(text)
    await page.unroute("**/rotations?state=open*")


async def test_a_client_with_keys_is_asked_for_a_new_one(console: Console) -> None:
    page, scene = console.page, console.scene
    jwks = json.dumps({"keys": [SigningKey.generate().public_jwk]})
    keys = {"use.jwks.string": "true", "jwks.string": jwks}
    uuid = scene.client("asked-for-key", clientAuthenticatorType="client-jwt", attributes=keys)
    await console.open_client("asked-for-key", "rotation")
    card = console.card("Rotations of this client")
    await expect(card.get_by_role("button", name="Rotate now")).to_have_count(0)
    await console.click("Ask for a new key")
    await expect(page.get_by_role("dialog")).to_contain_text(
        "stays valid until the client has used the next one"
    )
    await console.confirm("Ask for a new key")
    await console.expect_toast("The client is asked for a new key.")
    await expect(card.locator("tbody tr")).to_have_count(1)
    await expect(card.get_by_role("button", name="Ask for a new key")).to_have_count(0)
    (rotation,) = scene.admin.call("GET", f"/clients/{uuid}/rotations").json()
    assert (rotation["kind"], rotation["state"], rotation["reason"]) == ("key", "planned", "manual")
