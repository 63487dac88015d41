"""The policy for rotations, of a realm and of a client, which is shown with its effect before it is saved."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.console import Console
from tests.testkit.console_realm import DAY, POLICY, REALM
from tests.testkit.local_stack import ask_token
from tests.testkit.waiting import wait_until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("made_for_this_test")]


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
    await console.fill("Jitter (hours)", "90m")
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
            "Enter a number, such as 30 or 0.5, or one with a unit, such as 12h, or nothing.",
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
    await expect(policy.get_by_role("alert")).to_contain_text(
        "Somebody else has changed this since you opened the page"
    )
    assert admin.call("GET", f"/clients/{uuid}").json()["attributes"][period] == str(50 * DAY)
    await expect(page.get_by_label("Rotate every (days)")).to_have_value("40")
