"""The Credentials tab of a client with a secret."""

import asyncio
import re

import pytest
from playwright.async_api import Route, expect

from tests.browser.conftest import OpenConsole
from tests.browser.console import Console
from tests.browser.sessions import give_session_of
from tests.testkit.console_realm import REALM
from tests.testkit.local_stack import ask_token
from tests.testkit.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_secret_is_hidden_until_asked_for_and_can_be_copied(open_console: OpenConsole) -> None:
    console = await open_console(permissions=["clipboard-read", "clipboard-write"])
    secret = console.scene.admin.secret(console.scene.uuids["stock-us"])
    await console.open_client("stock-us")
    assert secret not in await console.page.content()
    await console.click("Reveal the client secret")
    await expect(console.page.get_by_text(secret)).to_be_visible()
    await console.click("Copy the client secret")
    assert await console.page.evaluate("navigator.clipboard.readText()") == secret
    await console.click("Hide the client secret")
    await expect(console.page.get_by_text(secret)).to_have_count(0)


async def test_a_regenerated_secret_overlaps_with_the_former_until_that_is_invalidated(
    console: Console,
) -> None:
    page, scene = console.page, console.scene
    uuid = scene.client("overlapping", name="Overlapping")
    node, former = scene.stack.node_urls[1], scene.admin.secret(uuid)
    await console.open_client("overlapping")
    await console.click("Regenerate")
    await expect(page.get_by_role("dialog")).to_contain_text("accepted for another 7 days")
    await console.confirm("Regenerate")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("The new secret")
    new = scene.admin.secret(uuid)
    await expect(dialog).to_contain_text(new)
    await console.click("Done", within=dialog)
    await console.expect_toast(re.compile(r"Safe now: 3 of 3 nodes applied it, after \d+ ms"))
    assert [ask_token(node, REALM, "overlapping", one).status_code for one in (former, new)] == [200, 200]

    usage = f"/clients/{uuid}/usage"
    await wait_until(lambda: scene.admin.call("GET", usage).json()["secret"])
    await page.reload()
    card = console.card("Client secret")
    used = card.locator("dl > div").filter(has_text="Last used").locator("time")
    await expect(used).to_have_count(2)
    await expect(page.get_by_text("still accepted")).to_be_visible()
    await console.click("Invalidate")
    await expect(page.get_by_role("dialog")).to_contain_text("is rejected from now on")
    await console.confirm("Invalidate")
    await expect(page.get_by_text("still accepted")).to_have_count(0)
    assert [ask_token(node, REALM, "overlapping", one).status_code for one in (former, new)] == [401, 200]


async def test_the_overlap_is_chosen_for_this_once(console: Console) -> None:
    page, scene = console.page, console.scene
    uuid = scene.client("this-once")
    node, former = scene.stack.node_urls[1], scene.admin.secret(uuid)
    dialog = page.get_by_role("dialog")
    await console.open_client("this-once")
    await console.click("Regenerate")
    await console.choose("The former secret stays valid", "3600", within=dialog)
    await expect(dialog).to_contain_text("accepted for another 1 hour")
    await console.confirm("Regenerate")
    await expect(dialog).to_contain_text("Both secrets work for 1 hour")
    await console.click("Done", within=dialog)
    await console.expect_toast("Client secret regenerated. Safe now: 3 of 3 nodes")
    second = scene.admin.secret(uuid)
    assert [ask_token(node, REALM, "this-once", one).status_code for one in (former, second)] == [200, 200]
    await wait_until(lambda: scene.admin.call("GET", f"/clients/{uuid}/usage").json()["secret"])
    await console.click("Regenerate")
    await expect(dialog).to_contain_text("The current secret was last used")
    await console.choose("The former secret stays valid", "0", within=dialog)
    await expect(dialog).to_contain_text("Every node rejects the current secret at once")
    await console.confirm("Regenerate")
    await expect(dialog).to_contain_text("3 of 3 nodes have this change")
    assert ask_token(node, REALM, "this-once", second).status_code == 401


async def test_a_new_secret_is_shown_while_its_change_is_on_its_way(open_console: OpenConsole) -> None:
    console = await open_console()
    page, scene = console.page, console.scene
    uuid = scene.client("at-once")
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        await held.wait()
        await route.continue_()

    await page.route("**/fleet?sequence=*", hold)
    await console.open_client("at-once")
    await console.click("Regenerate")
    async with page.expect_request(lambda request: request.method == "POST") as asked:
        await console.confirm("Regenerate")
    assert (await asked.value).headers["prefer"] == "respond-async"
    await expect(page.get_by_role("dialog")).to_contain_text("The new secret")
    await expect(page.get_by_role("dialog")).to_contain_text(scene.admin.secret(uuid))
    await expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("nodes have this change")
    await expect(page.locator(".toast")).to_have_count(0)
    held.set()
    await console.expect_toast("Client secret regenerated. Safe now: 3 of 3 nodes")


async def test_the_new_secret_of_the_signed_in_client_outlives_its_session(open_console: OpenConsole) -> None:
    console = await open_console(signed_in=False)
    console.expected += ["401", "EventSource"]
    page, scene = console.page, console.scene
    uuid = scene.client("herself", attributes={"keyturn.admin.roles": "manage-clients"})
    await give_session_of(console, "herself", scene.admin.secret(uuid))
    await console.open_client("herself")
    await expect(page.get_by_text("You are signed in with this client")).to_be_visible()
    await console.click("Regenerate")
    await expect(page.get_by_role("dialog")).to_contain_text("This is the client that you are signed in with")
    await console.confirm("Regenerate")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("The new secret")
    await expect(dialog).to_contain_text(scene.admin.secret(uuid))
    await console.click("Done", within=dialog)
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await expect(page.get_by_label("Client ID")).to_have_value("herself")


async def test_where_only_digests_are_stored_a_new_clients_secret_is_shown(console: Console) -> None:
    page, admin = console.page, console.scene.admin
    realm = {"realm": "digests", "enabled": True, "attributes": {"keyturn.secret.digest-only": "true"}}
    admin.http.post("/admin/realms", json=realm).raise_for_status()
    await console.open("clients", realm="digests")
    await console.click("New client", within=page.locator("header"))
    await console.fill("Client ID", "shown-once", within=page.get_by_role("dialog"))
    await console.click("Create", within=page.get_by_role("dialog"))
    dialog = page.get_by_role("dialog").filter(has_text="The new secret")
    await expect(dialog).to_contain_text("It is not shown again")
    secret = await dialog.locator("code").inner_text()
    await console.click("Done", within=dialog)
    await expect(console.card("Client secret")).to_be_visible()
    node = console.scene.stack.node_urls[0]
    assert ask_token(node, "digests", "shown-once", secret).status_code == 200
    admin.http.delete("/admin/realms/digests").raise_for_status()


async def test_a_secret_that_saving_will_replace_is_said_to_be_due_before(console: Console) -> None:
    page, scene = console.page, console.scene
    due = dict.fromkeys(("expiration-period", "remaining-rotation-period"), "100000")
    attributes = {f"keyturn.secret.{name}": value for name, value in due.items()}
    attributes["keyturn.rotation.automatic"] = "false"
    uuid = scene.client("due", attributes=attributes)
    former = scene.admin.secret(uuid)
    said = page.get_by_text("The next change that you save also gives it a new secret")
    for tab in ("credentials", "activity", "settings"):
        await console.open_client("due", tab)
        await expect(said).to_be_visible()
    assert scene.admin.secret(uuid) == former, "looking at it changes nothing"
    scene.admin.call("PUT", f"/clients/{uuid}", json={"attributes": dict.fromkeys(attributes, "")})
    await page.reload()
    await expect(page.get_by_role("heading", name="Disable or delete")).to_be_visible()
    await expect(said).to_have_count(0)


async def test_without_a_policy_the_dialog_says_that_the_present_secret_is_refused_at_once(
    open_console: OpenConsole,
) -> None:
    console = await open_console()
    admin = console.scene.stack.local["admin"]
    await console.open("clients", realm="master")
    await console.page.get_by_role("link", name=admin["client_id"]).click()
    await console.click("Regenerate")
    await expect(console.page.get_by_role("dialog")).to_contain_text(
        "Every node rejects the current secret at once"
    )
    await console.confirm("Cancel")


async def test_what_belongs_to_an_authenticator_is_shown_before_anything_is_saved(console: Console) -> None:
    page, scene = console.page, console.scene
    uuid = scene.client("switching")
    await console.open_client("switching")
    await console.choose("Client Authenticator", "client-jwt")
    await expect(page.get_by_label("Signature Algorithm")).to_be_visible()
    await expect(page.get_by_role("heading", name="Keys of the client")).to_be_visible()
    await expect(page.get_by_label("JWKS URL", exact=True).last).to_be_visible()
    await expect(page.get_by_text("still authenticates with Client Id and Secret")).to_be_visible()
    await console.choose("Client Authenticator", "client-x509")
    await expect(page.get_by_label("Subject DN", exact=True)).to_be_visible()
    assert scene.admin.call("GET", f"/clients/{uuid}").json()["clientAuthenticatorType"] == "client-secret"

    await console.choose("Client Authenticator", "client-secret-jwt")
    await console.choose("Signature Algorithm", "HS256")
    await console.fill("Max expiration (s)", "30")
    await console.click("Save")
    await expect(page.get_by_role("dialog")).to_contain_text("as soon as this is saved")
    await console.confirm("Switch")
    await console.expect_toast("Saved.")
    saved = scene.admin.call("GET", f"/clients/{uuid}").json()
    assert saved["clientAuthenticatorType"] == "client-secret-jwt"
    assert saved["attributes"]["token.endpoint.auth.signing.alg"] == "HS256"
    assert saved["attributes"]["token.endpoint.auth.signing.max.exp"] == "30"


async def test_an_x509_client_is_set_up(console: Console) -> None:
    await console.open_client("checkout")
    await console.fill("Subject DN", "CN=checkout-2,O=Example")
    await console.click("Save")
    await console.expect_toast("Saved.")
    saved = console.scene.admin.call("GET", f"/clients/{console.scene.uuids['checkout']}").json()
    assert saved["attributes"]["x509.subjectdn"] == "CN=checkout-2,O=Example"


async def test_an_x509_client_that_no_node_can_check_is_said_to_get_no_tokens(console: Console) -> None:
    card = console.card("X.509 certificate")
    await console.open_client("checkout")
    await expect(card).to_contain_text("by exactly one name, or by its key")
    await expect(card).to_contain_text("The nodes here do not check certificates in this way")


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([{"certificate_methods": []}, {"certificate_methods": ["tls_client_auth"]}], None),
        ([{"certificate_methods": ["self_signed_tls_client_auth"]}], "do not check certificates in this way"),
        ([{}], "do not say now whether they can check certificates"),
    ],
)
async def test_the_panel_for_certificates_goes_by_what_the_nodes_report(
    open_console: OpenConsole, nodes: list[dict[str, list[str]]], said: str | None
) -> None:
    console = await open_console()

    async def answer(route: Route) -> None:
        await route.fulfill(json={"nodes": nodes})

    await console.page.route("**/admin/realms/shop/fleet", answer)
    await console.open_client("checkout")
    warnings = console.card("X.509 certificate").locator(".notice")
    await expect(warnings).to_have_count(0 if said is None else 1)
    if said is not None:
        await expect(warnings).to_contain_text(said)
