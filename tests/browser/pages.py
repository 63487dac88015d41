"""Every page of the console, by the name of its picture."""

from collections.abc import Awaitable, Callable

from playwright.async_api import expect

from tests.browser.console import Console

Prepare = Callable[[Console], Awaitable[None]]

ADDRESSES = {
    "clients": "clients",
    "settings": "clients/{orders}/settings",
    "secret": "clients/{orders}/credentials",
    "jwks-url": "clients/{billing}/credentials",
    "inline-jwks": "clients/{payments}/credentials",
    "certificate": "clients/{inventory}/credentials",
    "x509": "clients/{checkout}/credentials",
    "connect": "clients/{orders}/connect",
    "connect-certificate": "clients/{checkout}/connect",
    "scopes": "clients/{orders}/scopes",
    "admin-roles": "clients/{orders}/admin-roles",
    "evaluate": "clients/{orders}/evaluate",
    "activity": "clients/{orders}/activity",
    "client-scopes": "client-scopes",
    "fleet": "fleet",
    "rotations": "rotations",
    "rotation": "rotations/{rotation}",
    "campaign": "rotations/campaign",
    "client-rotation": "clients/{orders}/rotation",
    "notices": "notices",
    "jwks-urls": "jwks-urls",
    "events": "events",
    "audit": "audit",
    "realm": "realm",
}


async def nothing(_: Console) -> None:
    """Leave the page as it is."""


async def revoke(console: Console) -> None:
    await console.click("Revoke billing-2026-10")
    await expect(console.page.get_by_role("dialog")).to_be_visible()


async def generate(console: Console) -> None:
    await console.click("Generate new keys")
    await expect(console.page.get_by_role("dialog")).to_be_visible()


async def import_keys(console: Console) -> None:
    await console.click("Import")
    await console.choose("Archive Format", "PKCS12", within=console.page.get_by_role("dialog"))


async def test_url(console: Console) -> None:
    await console.click("Test now")
    await expect(console.card("Keys of the client").locator(".notice")).to_be_visible()


async def choose_realm(console: Console) -> None:
    await console.page.locator(".realms summary").click()
    await expect(console.page.get_by_role("list", name="Realms")).to_be_visible()


async def regenerate(console: Console) -> None:
    await console.click("Regenerate")
    await expect(console.page.get_by_role("dialog")).to_be_visible()


async def reveal(console: Console) -> None:
    await console.click("Reveal the client secret")
    await expect(console.page.locator(".secret .copyable")).to_be_visible()


async def switch(console: Console) -> None:
    await console.choose("Client Authenticator", "client-jwt")


async def search_in_vain(console: Console) -> None:
    await console.fill("Search by client ID", "no such client")
    await expect(console.page.get_by_role("heading", name="No client found")).to_be_visible()


async def changes(console: Console) -> None:
    """Make changes of several kinds, each shown before the next one is made."""
    admin, uuids = console.scene.admin, console.scene.uuids
    flows = console.page.locator(".flows .flow")
    for client, path in (("stock-de", "client-secret"), ("billing", "clear-keys-cache")):
        admin.call("POST", f"/clients/{uuids[client]}/{path}")
        await expect(flows.first).to_contain_text(client)
        await expect(flows.first).to_contain_text("Safe after")
    await console.click("Send a test change")
    await expect(flows.first).to_contain_text("Realm updated")
    await expect(flows.first).to_contain_text("Safe after")


async def fill_in_wrongly(console: Console) -> None:
    await console.fill("Overlap (days)", "soon")
    await console.fill("Time zone", "Europe/Nowhere")
    await console.click("Check and save")
    await expect(console.page.get_by_text("Correct the 2 fields that are marked.")).to_be_visible()


async def show_the_plan(console: Console) -> None:
    """Try a policy under which nothing rotates."""
    await console.fill("Overlap (days)", "7")
    await console.fill("Time zone", "")
    await console.choose("Automatic", "false")
    await console.click("Check and save")
    await expect(console.page.get_by_role("dialog")).to_contain_text("locked out")


async def show_the_plan_for_keys(console: Console) -> None:
    """Try a policy that asks clients for their next keys."""
    await console.choose("Automatic", "")
    await console.fill("Ask for a new key every (days)", "30")
    await console.click("Check and save")
    await expect(console.page.get_by_role("dialog")).to_contain_text("asked for their next keys")


async def list_clients(console: Console) -> None:
    await console.fill("Client ID contains", "stock")
    await console.click("Show the clients")
    await expect(console.page.get_by_role("heading", name="4 clients")).to_be_visible()


async def evaluate(console: Console) -> None:
    await console.choose("Credential", "client_secret")
    await console.fill("Client secret", "a secret that is not the client's")
    await console.click("Evaluate")
    await expect(console.page.get_by_role("list", name="Checks")).to_be_visible()


async def preview(console: Console) -> None:
    await console.click("Evaluate")
    await expect(console.page.get_by_label("Claims of the token")).to_be_visible()


async def make_scope(console: Console) -> None:
    await console.click("New client scope")
    await expect(console.page.get_by_role("dialog")).to_be_visible()


async def fill_in_secret(console: Console) -> None:
    await console.click("Fill in the secret")
    await expect(console.page.get_by_role("button", name="Hide the secret")).to_be_visible()


async def delete_realm(console: Console) -> None:
    await console.click("Delete")
    await expect(console.page.get_by_role("dialog")).to_be_visible()


async def be_overtaken(console: Console) -> None:
    """Edit what somebody else changes meanwhile, and read it again."""
    console.expected.append("412")
    await console.fill("Description", "Takes the orders of the shop")
    path = f"/clients/{console.scene.uuids['orders']}"
    console.scene.admin.call("PUT", path, json={"description": "Takes orders"})
    await console.click("Save")
    await console.click("Read it again")
    await expect(console.page.get_by_role("table", name="Differences")).to_be_visible()


PREPARED: dict[str, list[tuple[str, Prepare]]] = {
    "clients": [("choosing-a-realm", choose_realm), ("no-client-found", search_in_vain)],
    "secret": [("revealed", reveal), ("regenerating", regenerate), ("switching", switch)],
    "jwks-url": [("tested", test_url), ("revoking", revoke)],
    "certificate": [("generating", generate), ("importing", import_keys)],
    "fleet": [("changes", changes)],
    "rotations": [("wrong", fill_in_wrongly), ("plan", show_the_plan), ("key-plan", show_the_plan_for_keys)],
    "campaign": [("listed", list_clients)],
    "client-scopes": [("making", make_scope)],
    "connect": [("filled-in", fill_in_secret)],
    "evaluate": [("previewed", preview), ("refused", evaluate)],
    "realm": [("deleting", delete_realm)],
    "settings": [("both-edited", be_overtaken)],
}
"""Further states of a page."""


def address_of(console: Console, name: str) -> str:
    return ADDRESSES[name].format(**console.scene.uuids, rotation=console.scene.rotation)
