"""The agent of a client with keys: one that it makes and publishes itself, and one from Keycloak's files."""

import json
import stat
from pathlib import Path

import httpx
import jwt
import pytest

from tests.e2e.running_agent import Agent, is_accepted
from tests.testkit.keytool import RunKeytool
from tests.testkit.local_stack import Admin, RunningStack
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes

PASSWORD = "keystore password"


def test_a_key_that_the_agent_makes_itself_is_published_and_outlives_it(
    stack: RunningStack, admin: Admin, processes: Processes, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{(port := find_free_port())}/k_jwks"
    attributes = {"use.jwks.url": "true", "jwks.url": url}
    admin.make_client("makes-its-key", clientAuthenticatorType="client-jwt", attributes=attributes)
    agent = Agent(
        processes,
        tmp_path,
        f'issuer = "{stack.base_url}/realms/{admin.realm}"\nclient_id = "makes-its-key"\n'
        f'generate_key = "ES256"\njwks_port = {port}\n',
    )
    published = []
    for _ in range(2):
        process = agent.start()
        assert is_accepted(stack, admin, agent.get("/token").json()["access_token"])
        (key,) = httpx.get(url, trust_env=False).json()["keys"]
        assert agent.get("/k_jwks").json() == {"keys": [key]}
        assert httpx.get(url.replace("k_jwks", "token"), trust_env=False).status_code == 404
        published.append(key)
        process.kill()
    assert published[0] == published[1]
    private = json.loads(agent.state.read_text())["signing"]["d"]
    assert stat.S_IMODE(agent.state.stat().st_mode) == 0o600
    process = agent.start()
    assert process.stop() == 0
    assert not agent.socket.exists()
    assert private not in process.output()


@pytest.mark.parametrize("key", ["RSA", "EC"])
def test_an_adapter_file_of_keycloak_is_all_that_the_agent_needs(
    stack: RunningStack, admin: Admin, processes: Processes, keytool: RunKeytool, tmp_path: Path, key: str
) -> None:
    archive, certificate = tmp_path / "client.p12", tmp_path / "client.pem"
    store = ["-keystore", archive, "-storetype", "PKCS12", "-storepass", PASSWORD, "-alias", "Orders"]
    size = ["-keysize", "2048"] if key == "RSA" else ["-groupname", "secp256r1"]
    for command in (
        ["-genkeypair", "-keyalg", key, *size, "-dname", "CN=orders"],
        ["-exportcert", "-rfc", "-file", certificate],
    ):
        assert keytool(*command, *store).returncode == 0
    client_id, alg = f"from-keycloak-{key}", {"RSA": "RS256", "EC": "ES256"}[key]
    body = "".join(certificate.read_text().split("-----")[2].split())
    attributes = {"jwt.credential.certificate": body, "token.endpoint.auth.signing.alg": alg}
    admin.make_client(client_id, clientAuthenticatorType="client-jwt", attributes=attributes)
    file = tmp_path / "keycloak.json"
    jwt_credential = {
        "client-keystore-file": str(archive),
        "client-keystore-type": "pkcs12",
        "client-keystore-password": PASSWORD,
        "client-key-password": PASSWORD,
        "client-key-alias": "Orders",
        "algorithm": alg,
    }
    file.write_text(
        json.dumps(
            {
                "realm": admin.realm,
                "auth-server-url": f"{stack.base_url}/",
                "resource": client_id,
                "credentials": {"jwt": jwt_credential},
            }
        )
    )
    agent = Agent(processes, tmp_path, f'keycloak_json = "{file}"\n')
    process = agent.start()
    token = agent.get("/token").json()["access_token"]
    assert jwt.decode(token, options={"verify_signature": False})["azp"] == client_id
    assert is_accepted(stack, admin, token)
    assert PASSWORD not in process.output()
