"""The Connect tab: where a client has to go, and programs that get a token as they stand there."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from playwright.async_api import expect

from tests.browser.conftest import OpenConsole
from tests.browser.console import Console
from tests.testkit.console_realm import REALM
from tests.testkit.nodejs import install_packages

pytestmark = pytest.mark.asyncio(loop_scope="session")

LANGUAGES = ("curl", "python", "java", "node", "go", "dotnet", "keycloak.json")
PLACES = {"curl": "get-token.sh", "python": "get_token.py", "node": "get-token.mjs"}


async def snippet(console: Console, language: str) -> str:
    await console.choose("Language", language)
    return await console.page.get_by_label("Snippet").inner_text()


async def token_by(language: str, text: str, directory: Path, **variables: str) -> str:
    """Run a snippet with these environment variables; return the access token that it prints."""
    if language == "node":
        directory = install_packages()
    place = directory / PLACES[language]
    place.write_text(text)
    command = {"curl": ("bash", "-eu"), "python": (sys.executable,), "node": ("node",)}[language]
    process = await asyncio.create_subprocess_exec(
        *command,
        place,
        env={"PATH": os.environ["PATH"], "NO_PROXY": "*", **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=directory,
    )
    out, errors = await process.communicate()
    place.unlink()
    assert process.returncode == 0, (errors or out).decode()
    said = out.decode().strip()
    return str(json.loads(said)["access_token"]) if said.startswith("{") else said


async def test_scopes_that_a_token_has_only_if_asked_for_are_named(console: Console) -> None:
    await console.open_client("stock-us", "connect")
    said = console.page.get_by_text("To get optional ones, add the parameter scope with their names")
    await expect(said).to_contain_text("separated by spaces: address email")


async def test_the_addresses_are_those_of_the_discovery_document(console: Console) -> None:
    issuer = f"{console.base}/realms/{REALM}"
    await console.open_client("stock-us", "connect")
    for address in (
        issuer,
        f"{issuer}/protocol/openid-connect/token",
        f"{issuer}/.well-known/openid-configuration",
        f"{issuer}/protocol/openid-connect/certs",
    ):
        await expect(console.card("Addresses").get_by_text(address, exact=True)).to_be_visible()


@pytest.mark.parametrize("language", PLACES)
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_program_with_a_secret_gets_a_token(
    console: Console, tmp_path: Path, language: str, method: str
) -> None:
    client_id = f"program {language} {method}"
    attributes = {"client.secret.authentication.allowed.method": method}
    uuid = console.scene.client(client_id, attributes=attributes)
    await console.open(f"clients/{uuid}/connect")
    secret = console.scene.admin.secret(uuid)
    text = await snippet(console, language)
    assert secret not in text
    assert (await token_by(language, text, tmp_path, CLIENT_SECRET=secret)).count(".") == 2


@pytest.mark.parametrize("language", PLACES)
async def test_a_program_that_signs_with_its_secret_gets_a_token(
    console: Console, tmp_path: Path, language: str
) -> None:
    uuid = console.scene.client(f"signs-{language}", clientAuthenticatorType="client-secret-jwt")
    await console.open(f"clients/{uuid}/connect")
    text = await snippet(console, language)
    token = await token_by(language, text, tmp_path, CLIENT_SECRET=console.scene.admin.secret(uuid))
    assert token.count(".") == 2


@pytest.mark.parametrize("language", ["python", "node"])
async def test_a_program_that_signs_with_its_key_gets_a_token(
    console: Console, tmp_path: Path, language: str
) -> None:
    pair = ec.generate_private_key(ec.SECP256R1())
    pem = pair.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    attributes = {"jwt.credential.public.key": "".join(pem.splitlines()[1:-1])}
    uuid = console.scene.client(
        f"keyed-{language}", clientAuthenticatorType="client-jwt", attributes=attributes
    )
    key = tmp_path / "key.pem"
    key.write_bytes(pair.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    await console.open(f"clients/{uuid}/connect")
    text = await snippet(console, language)
    assert (await token_by(language, text, tmp_path, CLIENT_KEY=str(key))).count(".") == 2


async def test_no_secret_is_in_a_snippet_until_it_is_filled_in(open_console: OpenConsole) -> None:
    console = await open_console()
    secret = console.scene.admin.secret(console.scene.uuids["stock-us"])
    await console.open_client("stock-us", "connect")
    for language in LANGUAGES:
        text = await snippet(console, language)
        assert "CLIENT_SECRET" in text
        assert secret not in await console.page.content()
    assert not any("client-secret" in url or "installation" in url for url in console.requested)
    await console.click("Fill in the secret")
    await expect(console.page.get_by_role("button", name="Hide the secret")).to_be_visible()
    for language in LANGUAGES:
        assert secret in await snippet(console, language)
    await console.click("Hide the secret")
    assert secret not in await console.page.content()


@pytest.mark.parametrize(
    ("client_id", "words"),
    [
        ("billing", ["CLIENT_KEY", "client_assertion"]),
        ("checkout", ["CLIENT_CERTIFICATE"]),
        ("notifications", ["CLIENT_SECRET", "client_assertion"]),
    ],
)
async def test_the_snippets_fit_the_authenticator(console: Console, client_id: str, words: list[str]) -> None:
    await console.open_client(client_id, "connect")
    for language in ("python", "node", "go", "dotnet"):
        text = await snippet(console, language)
        assert [word for word in words if word not in text] == [], language


async def test_a_public_client_has_nothing_to_connect_with(console: Console) -> None:
    uuid = console.scene.client("public-one", publicClient=True)
    await console.open(f"clients/{uuid}/connect")
    await expect(console.page.get_by_role("heading", name="No credentials")).to_be_visible()
