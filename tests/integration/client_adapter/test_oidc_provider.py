"""The adapter at a server that nobody here wrote: node-oidc-provider."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from keyturn import ClientCredentials, ClientKeys, NoTokenError, SigningKey, load_key
from tests.testkit.keytool import RunKeytool
from tests.testkit.nodejs import install_packages, node_directory
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes
from tests.testkit.waiting import wait_until

PASSWORD = "top secret"


async def start(processes: Processes, **client: Any) -> str:
    """Start a server with this client; return its issuer."""
    port = find_free_port()
    script = install_packages() / "oidc-provider.mjs"
    metadata = {
        "client_id": "orders",
        "token_endpoint_auth_method": "private_key_jwt",
        "clientAuthSigningAlgValues": ["RS256", "ES256"],
    }
    process = processes.start(
        [node_directory() / "bin" / "node", script, str(port), json.dumps(metadata | client)]
    )

    def is_ready() -> bool:
        assert process.alive, process.output()
        return "ready" in process.output()

    await wait_until(is_ready)
    return f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(("key", "alg"), [("RSA", "RS256"), ("EC", "ES256")])
async def test_a_key_from_pkcs12_gets_a_token(
    processes: Processes, keytool: RunKeytool, tmp_path: Path, key: str, alg: str
) -> None:
    archive = tmp_path / "orders.p12"
    size = ["-groupname", "secp256r1"] if key == "EC" else ["-keysize", "2048"]
    options = ["-alias", "orders", "-keyalg", key, *size, "-dname", "CN=orders"]
    made = keytool(
        "-genkeypair", "-keystore", archive, "-storetype", "PKCS12", "-storepass", PASSWORD, *options
    )
    assert made.returncode == 0, made.stdout
    keys = ClientKeys(load_key(archive, password=PASSWORD, alias="orders"))
    issuer = await start(processes, jwks=keys.jwks)
    async with httpx.AsyncClient(trust_env=False) as http:
        credentials = ClientCredentials(issuer, "orders", keys, token_endpoint=f"{issuer}/token")
        assert (await credentials.token(http)).text
        another = ClientCredentials(
            issuer, "orders", SigningKey.generate(alg), token_endpoint=f"{issuer}/token"
        )
        with pytest.raises(NoTokenError):
            await another.token(http)
