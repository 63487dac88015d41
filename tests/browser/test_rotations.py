"""Rotations: on their way, their history, and the policy, which is shown with its effect before it is
saved."""

import json
import re

import pytest
from playwright.async_api import Locator, expect

from keyturn_shared.jose.signing import SigningKey
from tests.browser.console import Console
from tests.testkit.console_realm import DAY, POLICY, REALM
from tests.testkit.local_stack import ask_token
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


async def test_a_realms_policy_is_shown_with_its_effect_and_then_saved(console: Console) -> None:
    page, admin = console.page, console.scene.admin
    await console.open("rotations")
    policy = console.card("Policy")
    await expect(page.get_by_label("Rotate every (days)")).to_have_value("90")
    await console.fill("Rotate every (days)", "60")
    await console.fill("Overlap (days)", "3")
    await console.fill("Remaining rotation period (days)", "10")
    await console.choose("Automatic", "false")
    await console.choose("First day", "mon")
    await console.choose("Last day", "fri")
    await console.fill("From", "22:00")
    await console.fill("To", "05:00")
    await console.fill("Time zone", "Europe/Berlin")
    await console.fill("Jitter (hours)", "1.5")
    await console.fill("At most at once", "20")
    await console.choose("Self-service", "false")
    await console.click("Check and save", within=policy)
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(re.compile(r"\d+ clients would be locked out: no rotation begins"))
    await expect(dialog.get_by_role("table", name="Plan")).to_contain_text("Expires, client locked out")
    await console.confirm("Cancel")
    await expect(policy.get_by_role("alert")).to_contain_text("Nothing was saved.")
    assert admin.call("GET", "").json()["attributes"].items() >= POLICY.items()

    await console.choose("Automatic", "")
    await console.click("Check and save", within=policy)
    await expect(dialog).to_contain_text("No client would be locked out.")
    await expect(dialog).to_contain_text("Each client keeps its former secret until it has used the new one.")
    await console.confirm("Save the policy")
    await console.expect_toast("Policy saved.")
    saved = {
        "keyturn.secret.expiration-period": str(60 * DAY),
        "keyturn.secret.rotated-expiration-period": str(3 * DAY),
        "keyturn.secret.remaining-rotation-period": str(10 * DAY),
        "keyturn.rotation.window": "mon-fri 22:00-05:00 Europe/Berlin",
        "keyturn.rotation.jitter": "5400",
        "keyturn.rotation.max-at-once": "20",
        "keyturn.rotation.self-service": "false",
    }
    attributes = admin.call("GET", "").json()["attributes"]
    assert attributes.items() >= saved.items()
    assert "keyturn.rotation.automatic" not in attributes
    await page.reload()
    await expect(page.get_by_label("First day")).to_have_value("mon")
    await expect(page.get_by_label("Time zone")).to_have_value("Europe/Berlin")
    await expect(page.get_by_label("Jitter (hours)")).to_have_value("1.5")
    admin.call("PUT", "", json={"attributes": dict.fromkeys(saved, "") | POLICY})


async def test_a_policy_that_is_wrong_says_so_once_at_each_field(console: Console) -> None:
    page, admin = console.page, console.scene.admin
    console.expected.append("400")
    await console.open("rotations")
    policy = console.card("Policy")
    await console.fill("Rotate every (days)", "5")
    await console.fill("Overlap (days)", "6")
    await console.fill("Jitter (hours)", "some")
    await console.fill("At most at once", "0")
    await console.fill("From", "5 o'c")
    await console.click("Check and save", within=policy)
    problems = policy.locator(".problem")
    await expect(problems).to_have_text(
        [
            "This cannot be longer than the lifetime of the secret.",
            "This cannot be longer than the lifetime of the secret.",
            "Enter when the window begins, such as 01:00.",
            "Enter a number, such as 30 or 0.5, or nothing.",
            "Enter a whole number from 1 to 100000, or nothing.",
        ]
    )
    await expect(policy.get_by_role("alert")).to_contain_text("Correct the 5 fields that are marked.")
    overlap = page.get_by_label("Overlap (days)")
    await expect(overlap).to_be_focused()
    await expect(overlap).to_have_accessible_description(
        re.compile("This cannot be longer than the lifetime of the secret. How long the former")
    )
    await page.reload()
    await console.fill("From", "01:00")
    await console.fill("To", "05:00")
    await console.fill("Time zone", "Europe/Nowhere")
    await console.click("Check and save", within=policy)
    await expect(problems).to_have_text(["keyturn.rotation.window: 'Europe/Nowhere' is not a time zone"])
    await expect(page.get_by_label("Time zone")).to_be_focused()
    await console.fill("Time zone", "")
    await console.click("Check and save", within=policy)
    await expect(page.get_by_role("dialog")).to_be_visible()
    await expect(problems).to_have_count(0)
    await console.confirm("Cancel")
    assert "keyturn.rotation.window" not in admin.call("GET", "").json()["attributes"]


async def test_a_policy_for_keys_is_shown_with_its_effect_and_then_saved(console: Console) -> None:
    page, admin = console.page, console.scene.admin
    await console.open("rotations")
    policy = console.card("Policy")
    await console.fill("Ask for a new key every (days)", "30")
    await console.fill("Overlap of keys (days)", "31")
    await console.click("Check and save", within=policy)
    await expect(policy.locator(".problem")).to_have_text(
        ["This cannot be longer than the time after which a new key is asked for."]
    )
    await expect(page.get_by_label("Overlap of keys (days)")).to_be_focused()
    await console.fill("Overlap of keys (days)", "2.5")
    await console.choose("Revoke a former key that is still published", "true")
    await console.fill("Wait for a disabled client (days)", "14")
    await console.click("Check and save", within=policy)
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(re.compile(r"\d+ clients would be asked for their next keys."))
    row = dialog.get_by_role("table", name="Plan").get_by_role("row").filter(has_text="payments")
    await expect(row).to_contain_text("Asked for its next key")
    await console.confirm("Cancel")
    await expect(policy.get_by_role("alert")).to_contain_text("Nothing was saved.")
    assert "keyturn.key.rotation-period" not in admin.call("GET", "").json()["attributes"]
    await console.click("Check and save", within=policy)
    await console.confirm("Save the policy")
    await console.expect_toast("Policy saved.")
    saved = {
        "keyturn.key.rotation-period": str(30 * DAY),
        "keyturn.key.overlap": str(5 * DAY // 2),
        "keyturn.key.revoke-former": "true",
        "keyturn.rotation.disabled-limit": str(14 * DAY),
    }
    assert admin.call("GET", "").json()["attributes"].items() >= saved.items()
    await expect(page.get_by_label("Overlap of keys (days)")).to_have_value("2.5")

    await console.open_client("payments", "rotation")
    period = page.get_by_label("Ask for a new key every (days)")
    await expect(period).to_have_attribute("placeholder", "Realm: 30")
    await period.fill("40")
    await console.click("Check and save")
    await expect(dialog).to_contain_text("1 client would be asked for its next key.")
    await console.confirm("Save the policy")
    await console.expect_toast("Policy saved.")
    own = f"/clients/{console.scene.uuids['payments']}"
    attributes = admin.call("GET", own).json()["attributes"]
    assert attributes["keyturn.key.rotation-period"] == str(40 * DAY)
    admin.call("PUT", own, json={"attributes": {"keyturn.key.rotation-period": ""}})
    admin.call("PUT", "", json={"attributes": dict.fromkeys(saved, "") | POLICY})


async def test_a_client_is_rotated_and_has_a_policy_of_its_own(console: Console) -> None:
    page, scene = console.page, console.scene
    uuid = scene.client("own-policy")
    former = scene.admin.secret(uuid)
    await console.open_client("own-policy", "rotation")
    period = page.get_by_label("Rotate every (days)")
    await expect(period).to_have_value("")
    await expect(period).to_have_attribute("placeholder", "Realm: 90")
    overlap = page.get_by_label("Overlap (days)")
    await expect(overlap).to_have_attribute("placeholder", "Realm: 7")
    await expect(page.get_by_label("At most at once")).to_have_count(0)
    await console.fill("Overlap (days)", "2")
    await console.click("Check and save")
    await expect(console.card("Policy").locator(".problem")).to_contain_text("Rotate every (days)")
    await period.fill("30")
    await expect(page.get_by_label("Remaining rotation period (days)")).to_have_attribute("placeholder", "0")
    await console.choose("End the former one in any case", "true")
    await console.click("Check and save")
    await expect(page.get_by_role("dialog")).to_contain_text("1 secret would be rotated.")
    await console.confirm("Save the policy")
    await console.expect_toast("Policy saved.")
    attributes = scene.admin.call("GET", f"/clients/{uuid}").json()["attributes"]
    assert attributes["keyturn.secret.expiration-period"] == str(30 * DAY)
    assert attributes["keyturn.secret.rotated-expiration-period"] == str(2 * DAY)
    assert attributes["keyturn.rotation.retire-unused"] == "true"

    await console.click("Rotate now")
    await console.confirm("Rotate")
    await console.expect_toast("The rotation has begun. Safe now")
    card = console.card("Rotations of this client")
    await expect(card.locator("tbody tr")).to_contain_text("former secret ends")
    await expect(card.get_by_role("button", name="Rotate now")).to_have_count(0)
    new = scene.admin.secret(uuid)
    node = scene.stack.node_urls[0]
    assert [ask_token(node, REALM, "own-policy", each).status_code for each in (former, new)] == [200, 200]
    await wait_until(
        lambda: scene.admin.call("GET", f"/clients/{uuid}/rotations").json()[0]["state"] == "in_use"
    )
    await expect(card.locator("tbody tr"), "without a reload").to_contain_text("In use")
    await console.click("Secret is compromised")
    await expect(page.get_by_role("dialog")).to_contain_text("no tokens until it has the new one")
    await console.confirm("End it")
    await console.expect_toast("The compromised secret has ended. Safe now")
    assert [ask_token(node, REALM, "own-policy", each).status_code for each in (former, new)] == [401, 401]


async def test_a_policy_is_saved_after_a_rotation_but_not_over_somebody_elses(console: Console) -> None:
    page, admin = console.page, console.scene.admin
    uuid = console.scene.client("edited-twice")
    await console.open_client("edited-twice", "rotation")
    await console.fill("Rotate every (days)", "30")
    admin.call("POST", f"/clients/{uuid}/rotations", json={})
    await expect(console.card("Rotations of this client").locator("tbody tr")).to_have_count(1)
    await console.click("Check and save")
    await console.confirm("Save the policy")
    await console.expect_toast("Policy saved.")

    period = "keyturn.secret.expiration-period"
    await console.fill("Rotate every (days)", "40")
    admin.call("PUT", f"/clients/{uuid}", json={"attributes": {period: str(50 * DAY)}})
    await console.click("Check and save")
    await console.confirm("Save the policy")
    policy = console.card("Policy")
    await expect(policy.get_by_role("alert")).to_contain_text("Somebody else has changed this policy")
    assert admin.call("GET", f"/clients/{uuid}").json()["attributes"][period] == str(50 * DAY)
    await expect(page.get_by_label("Rotate every (days)")).to_have_value("40")
