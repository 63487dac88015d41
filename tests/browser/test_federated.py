"""The Credentials tab of a client whose assertions an identity provider signs."""

import pytest
from playwright.async_api import expect

from tests.browser.console import Console

pytestmark = pytest.mark.asyncio(loop_scope="session")

SUBJECT = "system:serviceaccount:shop:orders"


async def test_a_client_is_bound_to_a_subject_of_an_identity_provider(console: Console) -> None:
    admin = console.scene.admin
    provider = {"alias": "cluster", "providerId": "kubernetes", "displayName": "Cluster", "config": {}}
    admin.call("POST", "/identity-provider/instances", json=provider)
    uuid = console.scene.client("workload")
    await console.open_client("workload")
    await console.choose("Client Authenticator", "federated-jwt")
    card = console.card("Federated identity")
    await expect(card.get_by_label("Identity provider").locator("option")).to_have_text(["Choose", "Cluster"])
    await console.choose("Identity provider", "cluster", within=card)
    await console.fill("Federated subject", SUBJECT, within=card)
    await console.fill("Required claims", '{"/kubernetes.io/namespace": "shop"}', within=card)
    await console.click("Save")
    await console.confirm("Switch")
    await console.expect_toast("Saved.")
    saved = admin.call("GET", f"/clients/{uuid}").json()
    assert saved["clientAuthenticatorType"] == "federated-jwt"
    named = {name: saved["attributes"].get(name) for name in ("jwt.credential.issuer", "jwt.credential.sub")}
    assert named == {"jwt.credential.issuer": "cluster", "jwt.credential.sub": SUBJECT}
    await expect(console.card("Federated identity").get_by_label("Federated subject")).to_have_value(SUBJECT)
    await console.fill("Subject pattern", "*", within=console.card("Federated identity"))
    await console.fill("Federated subject", "", within=console.card("Federated identity"))
    console.expected.append("400")
    await console.click("Save")
    await expect(console.page.get_by_role("alert")).to_contain_text("first 2 segments")
