"""Text with markup, from any source, is shown as text and does nothing."""

import asyncio
import json

import pytest
from playwright.async_api import expect

from keyturn_shared.jose.signing import SigningKey
from tests.browser.conftest import OpenConsole
from tests.browser.console import Console
from tests.testkit.console_realm import by_jwt

pytestmark = pytest.mark.asyncio(loop_scope="session")

MARKUP = """<img src=x onerror="window.broken=1">"><script>window.broken=1</script>'{{7*7}}${7*7}"""


async def require_nothing_ran(console: Console) -> None:
    assert await console.page.evaluate("window.broken") is None
    assert await console.page.evaluate("document.querySelectorAll('img[src=x], main script').length") == 0
    console.require_calm()


async def test_clients_ids_names_and_attributes_are_text(console: Console) -> None:
    page, scene = console.page, console.scene
    client_id = f"zz {MARKUP}"
    attributes = {MARKUP: MARKUP, "x509.subjectdn": MARKUP, "access.token.lifespan": "60"}
    scene.client(client_id, name=MARKUP, description=MARKUP, attributes=attributes)
    await console.fill("Search by client ID", "zz <img")
    await expect(page.get_by_role("link", name=client_id)).to_be_visible()
    await expect(page.locator("td small").filter(has_text=MARKUP)).to_be_visible()
    await page.get_by_role("link", name=client_id).click()
    await expect(page.get_by_role("heading", name=client_id)).to_be_visible()
    await console.choose("Client Authenticator", "client-x509")
    await expect(page.get_by_label("Subject DN", exact=True)).to_have_value(MARKUP)
    await page.get_by_role("link", name="Settings").click()
    await console.confirm("Leave")
    await expect(page.get_by_label("Name", exact=True)).to_have_value(MARKUP)
    await expect(page.get_by_label("Description")).to_have_value(MARKUP)
    await console.click("Delete")
    await expect(page.get_by_role("dialog")).to_contain_text(client_id)
    await console.confirm("Cancel")
    await page.get_by_role("link", name="Activity").click()
    await expect(page.get_by_role("table", name="Audit log")).to_contain_text("Client created")
    for place in ("events", "audit", "rotations", "fleet"):
        await console.open(place)
        if place in ("events", "audit"):
            await expect(page.locator("tbody").first).to_contain_text(client_id)
    await require_nothing_ran(console)


@pytest.mark.usefixtures("made_for_this_test")
async def test_clients_of_rotations_plans_and_campaigns_are_text(console: Console) -> None:
    page, scene = console.page, console.scene
    client_id = f"yy {MARKUP}"
    begun = scene.admin.call("POST", f"/clients/{scene.client(client_id)}/rotations", json={}).json()
    own = scene.client(f"{client_id} own", attributes={"keyturn.secret.expiration-period": "86400"})
    await console.open("rotations")
    await expect(page.get_by_role("link", name=client_id, exact=True)).to_be_visible()
    await console.open(f"rotations/{begun['id']}")
    await expect(page.get_by_role("heading", name=f"Rotation of {client_id}")).to_be_visible()
    await console.click(f"Cancel: {client_id}")
    await expect(page.get_by_role("dialog")).to_contain_text(client_id)
    await console.confirm("Cancel")
    await console.open(f"clients/{own}/rotation")
    await console.fill("Overlap (days)", "0")
    await console.click("Check and save")
    await expect(page.get_by_role("table", name="Plan")).to_contain_text(f"{client_id} own")
    await console.confirm("Cancel")
    await asyncio.sleep(1.1)  # a secret's time of creation has whole seconds
    await console.open("rotations/campaign")
    await console.fill("Client ID contains", "yy <img")
    await console.click("Show the clients")
    await expect(page.get_by_role("link", name=f"{client_id} own")).to_be_visible()
    await require_nothing_ran(console)


@pytest.mark.usefixtures("made_for_this_test")
async def test_scopes_roles_and_snippets_of_hostile_clients_are_text(console: Console) -> None:
    page, scene = console.page, console.scene
    client_id = f"xx {MARKUP}"
    scope = {"name": "hostile<img/src=x/onerror=window.broken=1>", "description": MARKUP}
    scene.admin.call("POST", "/client-scopes", json=scope)
    uuid = scene.client(client_id, attributes={"keyturn.audiences": MARKUP})
    await console.open("client-scopes")
    await expect(page.get_by_label(f"Type of {scope['name']}")).to_be_visible()
    await console.click(f"Delete {scope['name']}")
    await expect(page.get_by_role("dialog")).to_contain_text(scope["name"])
    await console.confirm("Cancel")
    await console.open(f"clients/{uuid}/scopes")
    await expect(page.get_by_role("cell", name=MARKUP, exact=True)).to_be_visible()
    await console.open(f"clients/{uuid}/connect")
    for language in ("curl", "python", "java", "node", "go", "dotnet", "keycloak.json"):
        await console.choose("Language", language)
        await expect(page.get_by_label("Snippet")).to_contain_text("onerror")
    await console.open(f"clients/{uuid}/admin-roles")
    await page.get_by_label("view-clients").check()
    await console.click("Save")
    await expect(page.get_by_role("dialog")).to_contain_text(client_id)
    await console.confirm("Cancel")
    await require_nothing_ran(console)
    scopes = scene.admin.call("GET", "/client-scopes").json()
    [made] = [each["id"] for each in scopes if each["name"] == scope["name"]]
    scene.admin.call("DELETE", f"/client-scopes/{made}")


async def test_what_others_have_written_meanwhile_is_text(console: Console) -> None:
    console.expected.append("412")
    page, scene = console.page, console.scene
    uuid = scene.client("hostile-edit")
    await console.open_client("hostile-edit", "settings")
    scene.admin.call("PUT", f"/clients/{uuid}", json={"name": MARKUP})
    await console.fill("Description", MARKUP)
    await console.click("Save")
    await console.click("Read it again")
    await expect(page.get_by_role("table", name="Differences")).to_contain_text(MARKUP)
    await require_nothing_ran(console)


async def test_kids_and_what_jwks_urls_say_is_text(console: Console) -> None:
    page, scene = console.page, console.scene
    key = SigningKey.generate("ES256", kid=MARKUP)
    url = scene.keys.serve("/hostile.json", key.public_jwk, {"kty": MARKUP, "kid": MARKUP})
    scene.client("hostile-keys", **by_jwt({"use.jwks.url": "true", "jwks.url": url}))
    scene.ask("hostile-keys", key)
    await console.open_client("hostile-keys")
    await expect(console.card("Active keys").locator("code").filter(has_text=MARKUP)).to_be_visible()
    await console.click("Test now")
    await expect(console.card("Keys of the client")).to_contain_text("1 key cannot be used")
    await console.click(f"Revoke {MARKUP}")
    await expect(page.get_by_role("dialog")).to_contain_text(MARKUP)
    await console.confirm("Cancel")
    inline = json.dumps({"keys": [key.public_jwk], MARKUP: MARKUP})
    scene.client("hostile-set", **by_jwt({"use.jwks.string": "true", "jwks.string": inline}))
    await console.open_client("hostile-set")
    await expect(page.get_by_role("textbox", name="JSON Web Key Set")).to_have_value(
        json.dumps({"keys": [key.public_jwk], MARKUP: MARKUP}, indent=2)
    )
    await require_nothing_ran(console)


async def test_errors_that_repeat_what_was_sent_are_text(console: Console) -> None:
    page = console.page
    console.expected += ["400", "404"]
    await console.open_client("stock-us", "settings")
    await console.open_client("payments")
    await console.fill("JSON Web Key Set", MARKUP)
    await console.click("Save")
    await expect(page.get_by_role("alert")).to_be_visible()
    await console.click("Discard the changes")
    await console.open(f"clients/{'%3Cimg%20src=x%20onerror=window.broken=1%3E'}/credentials")
    await expect(page.get_by_role("alert")).to_be_visible()
    await require_nothing_ran(console)


async def test_an_address_with_markup_is_text(open_console: OpenConsole) -> None:
    console = await open_console(path="", signed_in=True)
    console.expected += ["404", "EventSource", "error"]
    await console.page.goto(
        "/console/%3Cimg%20src=x%20onerror=window.broken=1%3E/clients?search=%3Cscript%3E"
    )
    await expect(console.page.get_by_role("alert").first).to_contain_text("Realm not found")
    await expect(console.page.get_by_label("Realm <img src=x", exact=False)).to_be_visible()
    await require_nothing_ran(console)
