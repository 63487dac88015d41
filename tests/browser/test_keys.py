"""The Credentials tab of a client with signed JWTs."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from cryptography.x509 import load_pem_x509_certificate
from playwright.async_api import expect

from keyturn_credentials.keystores import generate_key_pair, self_signed_certificate
from keyturn_credentials.keystores.key_pairs import KeyPairKind
from keyturn_shared.jose.signing import SigningKey
from tests.browser.console import Console, saved
from tests.testkit.console_realm import by_jwt

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_new_keys_are_generated_and_leave_in_the_archive(console: Console, tmp_path: Path) -> None:
    page = console.page
    console.scene.client("generating", clientAuthenticatorType="client-jwt")
    await console.open_client("generating")
    await page.get_by_label("Certificate or key").check()
    await console.click("Generate new keys")
    dialog = page.get_by_role("dialog")
    await console.choose("Key", "P-384", within=dialog)
    await console.choose("Archive Format", "PKCS12", within=dialog)
    await console.fill("Key Alias", "mine", within=dialog)
    await expect(dialog.get_by_label("Key Password")).to_be_hidden()
    await console.fill("Store Password", "for the store", within=dialog)
    async with page.expect_download() as downloading:
        await console.click("Generate and download", within=dialog)
    archive = await saved(await downloading.value, tmp_path)
    assert b"for the store" not in archive
    await console.expect_toast("New key in use")
    await expect(console.card("Active keys").locator("tbody tr")).to_have_count(1)
    await expect(console.card("Active keys")).to_contain_text("P-384")
    certificate = pkcs12.load_pkcs12(archive, b"for the store").cert
    assert certificate is not None
    shown = console.card("Keys of the client")
    for part in (
        "CN=generating",
        "Itself (self-signed)",
        f"{certificate.certificate.serial_number:x}",
        "Valid until",
    ):
        await expect(shown).to_contain_text(part)
    async with page.expect_download() as downloading:
        await console.click("Download the certificate")
    pem = await saved(await downloading.value, tmp_path)
    assert load_pem_x509_certificate(pem) == certificate.certificate
    with pytest.raises(ValueError, match=r"(?i)password"):
        pkcs12.load_pkcs12(archive, b"wrong")


async def test_an_archive_with_one_password_opens_and_holds_the_key_in_force(
    console: Console, tmp_path: Path
) -> None:
    uuid = console.scene.client("opening", clientAuthenticatorType="client-jwt")
    await console.open_client("opening")
    await console.page.get_by_label("Certificate or key").check()
    await console.click("Generate new keys")
    dialog = console.page.get_by_role("dialog")
    await console.fill("Store Password", "one password", within=dialog)
    async with console.page.expect_download() as downloading:
        await console.click("Generate and download", within=dialog)
    opened = pkcs12.load_pkcs12(await saved(await downloading.value, tmp_path), b"one password")
    assert opened.key is not None
    assert opened.cert is not None
    kept = console.scene.admin.call("GET", f"/clients/{uuid}/certificates/jwt.credential").json()
    der = opened.cert.certificate.public_bytes(Encoding.DER)
    assert kept["certificate"].encode() == base64.b64encode(der)


async def test_a_certificate_is_imported_and_a_wrong_file_is_explained(
    console: Console, tmp_path: Path
) -> None:
    page = console.page
    console.expected.append("400")
    console.scene.client("importing", clientAuthenticatorType="client-jwt")
    pair = generate_key_pair(KeyPairKind.P_256)
    certificate = self_signed_certificate(pair, "importing", now=datetime.now(UTC))
    good, bad = tmp_path / "good.pem", tmp_path / "bad.pem"
    good.write_bytes(certificate.public_bytes(Encoding.PEM))
    bad.write_text('{"keys": []}')
    await console.open_client("importing")
    await page.get_by_label("Certificate or key").check()
    await console.click("Import")
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("Store Password")).to_be_hidden()
    await console.choose("Archive Format", "JKS", within=dialog)
    await expect(dialog.get_by_label("Store Password")).to_be_visible()
    await console.choose("Archive Format", "Certificate PEM", within=dialog)
    await dialog.get_by_label("File").set_input_files(bad)
    await console.click("Import", within=dialog)
    await expect(dialog.get_by_role("alert")).to_contain_text("JSON")
    await dialog.get_by_label("File").set_input_files(good)
    await console.click("Import", within=dialog)
    await console.expect_toast("Imported.")
    await expect(console.card("Active keys")).to_contain_text("in 3 years")


async def test_a_jwks_url_is_tested_before_it_is_saved(console: Console) -> None:
    page, scene = console.page, console.scene
    first, second = SigningKey.generate("ES256", kid="url-1"), SigningKey.generate("EdDSA", kid="url-2")
    url = scene.keys.serve(
        "/testing/jwks.json", first.public_jwk, second.public_jwk, {"kty": "oct", "kid": "x"}
    )
    uuid = scene.client("testing", clientAuthenticatorType="client-jwt")
    await console.open_client("testing")
    for wrong, reason in (
        ("https://nowhere.invalid/jwks.json", "cannot be resolved"),
        (scene.keys.fail("/testing/down.json"), "503"),
        ("http://169.254.169.254/keys", "address"),
        ("nonsense", "scheme"),
    ):
        await page.get_by_label("JWKS URL").last.fill(wrong)
        await console.click("Test now")
        result = console.card("Keys of the client").locator(".notice.bad")
        await expect(result).to_contain_text(reason, ignore_case=True)
    await page.get_by_label("JWKS URL").last.fill(url)
    await console.click("Test now")
    card = console.card("Keys of the client")
    await expect(card).to_contain_text("The URL answers with 2 usable keys.")
    await expect(card.locator("tbody tr")).to_have_count(2)
    await expect(card).to_contain_text("1 key cannot be used")
    assert "jwks.url" not in scene.admin.call("GET", f"/clients/{uuid}").json()["attributes"]

    await console.click("Save")
    await console.expect_toast("Saved.")
    assert scene.ask("testing", second).status_code == 200
    await page.reload()
    keys = console.card("Active keys")
    await expect(keys.locator("tbody tr")).to_have_count(2)
    for part in ("url-1", "url-2", "Ed25519", "JWKS URL"):
        await expect(keys).to_contain_text(part)


async def test_a_revoked_key_is_refused_although_its_url_still_serves_it(console: Console) -> None:
    page, scene = console.page, console.scene
    key = SigningKey.generate("ES256", kid="to-revoke")
    url = scene.keys.serve("/revoking/jwks.json", key.public_jwk)
    scene.client("revoking", **by_jwt({"use.jwks.url": "true", "jwks.url": url}))
    assert scene.ask("revoking", key).status_code == 200
    await console.open_client("revoking")
    await console.click("Revoke to-revoke")
    dialog = page.get_by_role("dialog")
    for part in ("whatever the JWKS URL serves", "cannot be undone", "to-revoke"):
        await expect(dialog).to_contain_text(part)
    await console.confirm("Revoke key")
    await console.expect_toast("Key revoked. Safe now: 3 of 3 nodes")
    await expect(console.card("Active keys").get_by_text("Revoked", exact=True)).to_be_visible()
    assert [scene.ask("revoking", key, node).status_code for node in range(3)] == [401] * 3

    await console.click("Clear key cache")
    await expect(page.get_by_role("dialog")).to_contain_text("fetched again before they are used again")
    await console.confirm("Clear")
    await console.expect_toast("Key cache cleared. Safe now")


async def test_an_inline_set_replaces_the_url_after_a_warning_and_refuses_private_keys(
    console: Console,
) -> None:
    page, scene = console.page, console.scene
    console.expected.append("400")
    key = SigningKey.generate("ES256", kid="inline-1")
    url = scene.keys.serve("/inlining/jwks.json")
    uuid = scene.client("inlining", **by_jwt({"use.jwks.url": "true", "jwks.url": url}))
    await console.open_client("inlining")
    await page.get_by_label("Inline JWKS").check()
    private = json.loads(key.export_private_jwk())
    await console.fill("JSON Web Key Set", json.dumps({"keys": [private]}))
    await console.click("Save")
    await console.confirm("Replace")
    await expect(page.get_by_role("alert")).to_contain_text("private")
    await console.fill("JSON Web Key Set", json.dumps({"keys": [key.public_jwk]}))
    await console.click("Save")
    await expect(page.get_by_role("dialog")).to_contain_text("Every node rejects the keys")
    await console.confirm("Replace")
    await console.expect_toast("Saved.")
    [shown] = scene.admin.call("GET", f"/clients/{uuid}/keys").json()
    assert (shown["kid"], shown["source"]) == ("inline-1", "jwks")
    assert scene.ask("inlining", key).status_code == 200


async def test_generated_keys_take_the_place_of_a_url_in_one_change(console: Console) -> None:
    scene = console.scene
    key = SigningKey.generate("ES256", kid="old")
    url = scene.keys.serve("/replacing/jwks.json", key.public_jwk)
    uuid = scene.client("replacing", **by_jwt({"use.jwks.url": "true", "jwks.url": url}))
    await console.open_client("replacing")
    await console.page.get_by_label("Certificate or key").check()
    await console.click("Generate new keys")
    dialog = console.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("The keys at its JWKS URL are rejected by every node")
    await console.choose("Archive Format", "JKS", within=dialog)
    for label in ("Key Password", "Store Password"):
        await console.fill(label, "one password", within=dialog)
    async with console.page.expect_download():
        await console.click("Generate and download", within=dialog)
    await console.expect_toast("New key in use")
    [shown] = scene.admin.call("GET", f"/clients/{uuid}/keys").json()
    assert shown["source"] == "certificate"
    assert scene.ask("replacing", key).status_code != 200
