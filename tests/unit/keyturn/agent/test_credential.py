"""The agent's first credential, from each place that it may be in."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from keyturn import ClientKeys, ClientSecret, KeyStateError, SigningKey
from keyturn.agent.credential import credential_of
from keyturn.agent.settings import AgentSettings, AgentSettingsError
from keyturn_credentials.keystores import ArchivePasswords, KeyEntry, KeyPairKind, write_archive
from keyturn_shared.secret import Secret
from tests.testkit.key_material import JKS, NOW, certificate, key_pair

ARCHIVES = Path(__file__).parents[3] / "testkit" / "openssl_archives"
PASSWORD = "openssl password"


def read(directory: Path, text: str) -> AgentSettings:
    path = directory / "agent.toml"
    named = 'issuer = "https://id.example.test/realms/acme"\nclient_id = "orders"\n'
    common = f'state = "{directory / "state.json"}"\nsocket = "/run/agent.sock"\n'
    path.write_text(common + ("" if "keycloak_json" in text else named) + text)
    return AgentSettings.read(path)


def keys_of(settings: AgentSettings) -> ClientKeys:
    credential = credential_of(settings, {})
    assert isinstance(credential, ClientKeys)
    return credential


def secret_of(settings: AgentSettings, environment: dict[str, str] | None = None) -> str:
    credential = credential_of(settings, environment or {})
    assert isinstance(credential, ClientSecret)
    return credential.reveal()


def test_a_secret_is_in_a_file_or_the_environment(tmp_path: Path) -> None:
    settings = read(tmp_path, "")
    assert secret_of(settings, {"KEYTURN_AGENT_SECRET": "from the environment"}) == "from the environment"
    with pytest.raises(AgentSettingsError, match=r"set secret_file, key_file, .*, or KEYTURN_AGENT_SECRET"):
        credential_of(settings, {})
    kept = tmp_path / "secret"
    settings = read(tmp_path, f'secret_file = "{kept}"')
    with pytest.raises(AgentSettingsError, match=r"secret_file .* cannot be read"):
        credential_of(settings, {})
    kept.write_text("\n")
    with pytest.raises(AgentSettingsError, match=r"secret_file .* is empty"):
        credential_of(settings, {})
    kept.write_text("from the file\n")
    assert secret_of(settings, {"KEYTURN_AGENT_SECRET": "x"}) == "from the file"


def test_a_key_is_in_pem_or_pkcs12_with_its_password_in_another_file(tmp_path: Path) -> None:
    password, key_file = tmp_path / "password", tmp_path / "key.pem"
    password.write_text(f"{PASSWORD}\n")
    encryption = BestAvailableEncryption(PASSWORD.encode())
    private = ec.generate_private_key(ec.SECP384R1())
    key_file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    text = f'key_password_file = "{password}"\nkey_id = "mine"\n'
    key = keys_of(read(tmp_path, text + f'key_file = "{key_file}"')).signing
    assert (key.kid, key.algorithm) == ("mine", "ES384")
    (tmp_path / "state.json").unlink()
    archive = f'key_file = "{ARCHIVES / "RSA-2048.p12"}"\nkey_alias = "RSA-2048"\nkey_algorithm = "PS256"\n'
    assert keys_of(read(tmp_path, text + archive)).signing.algorithm == "PS256"
    with pytest.raises(AgentSettingsError, match=r"key_file .* is encrypted"):
        credential_of(read(tmp_path, f'key_file = "{key_file}"'), {})
    password.unlink()
    with pytest.raises(AgentSettingsError, match=r"key_password_file .* cannot be read"):
        credential_of(read(tmp_path, text + archive), {})


@pytest.mark.parametrize("key_password", [PASSWORD, "another"])
def test_a_key_is_in_jks_as_keycloak_exports_it(tmp_path: Path, key_password: str) -> None:
    keystore, password, of_key = tmp_path / "keys.jks", tmp_path / "password", tmp_path / "key-password"
    kinds = (KeyPairKind.P_384, KeyPairKind.RSA_2048)
    entries = [KeyEntry(kind, key_pair(kind), (certificate(kind),)) for kind in kinds]
    passwords = ArchivePasswords(store=Secret(PASSWORD), key=Secret(key_password))
    keystore.write_bytes(write_archive(JKS, entries, passwords, now=NOW))
    password.write_text(f"{PASSWORD}\n")
    of_key.write_text(f"{key_password}\n")
    text = f'key_file = "{keystore}"\nkey_password_file = "{password}"\n'
    own = "" if key_password == PASSWORD else f'key_entry_password_file = "{of_key}"\n'
    key = keys_of(read(tmp_path, f'{text}{own}key_alias = "P-384"')).signing
    assert key.algorithm == "ES384"
    (tmp_path / "state.json").unlink()
    with pytest.raises(
        AgentSettingsError, match=r"keys.jks: no alias .* the archive has: 'p-384', 'rsa-2048'"
    ):
        credential_of(read(tmp_path, text + own), {})
    jwt = {
        "client-keystore-file": str(keystore),
        "client-keystore-type": "JKS",
        "client-keystore-password": PASSWORD,
        "client-key-alias": "RSA-2048",
    }
    if key_password != PASSWORD:
        jwt["client-key-password"] = key_password
    setting = keycloak_json(tmp_path, credentials={"jwt": jwt})
    of_keycloak = keys_of(read(tmp_path, setting)).signing
    assert isinstance(of_keycloak, SigningKey)
    assert of_keycloak.verification_key.public_key == key_pair(KeyPairKind.RSA_2048).public_key
    assert of_keycloak.algorithm == "RS256"


def test_a_key_is_generated_once(tmp_path: Path) -> None:
    settings = read(tmp_path, 'generate_key = "EdDSA"\njwks_port = 8091')
    first = keys_of(settings).signing
    assert (first.algorithm, keys_of(settings).signing.kid) == ("EdDSA", first.kid)


def test_what_does_not_fit_the_credential_is_named(tmp_path: Path) -> None:
    held = '[[files]]\npath = "/run/secret"\nholds = "secret"'
    with pytest.raises(AgentSettingsError, match="/run/secret holds a secret, and the client has keys"):
        credential_of(read(tmp_path, f'generate_key = "ES256"\n{held}'), {})
    with pytest.raises(AgentSettingsError, match="jwks_port serves keys, and the client has a secret"):
        credential_of(read(tmp_path, "jwks_port = 8091"), {"KEYTURN_AGENT_SECRET": "s"})
    (tmp_path / "state.json").write_text('{"secrets": ["s"]}')
    with pytest.raises(KeyStateError, match="is not a file of a client's keys"):
        credential_of(read(tmp_path, 'generate_key = "ES256"'), {})


def keycloak_json(directory: Path, **changes: Any) -> str:
    """Write the file, as Keycloak's console shows it; return the setting."""
    document = {
        "realm": "a c",
        "auth-server-url": "https://id.example.test/",
        "ssl-required": "external",
        "resource": "RSA-2048",
        "credentials": {
            "jwt": {
                "client-key-password": PASSWORD,
                "client-keystore-file": str(ARCHIVES / "RSA-2048.p12"),
                "client-keystore-type": "PKCS12",
                "client-keystore-password": PASSWORD,
                "client-key-alias": "RSA-2048",
            }
        },
        "confidential-port": 0,
    }
    path = directory / "keycloak.json"
    path.write_text(json.dumps(document | changes))
    return f'keycloak_json = "{path}"'


def test_keycloak_json_names_realm_client_and_key(tmp_path: Path) -> None:
    settings = read(tmp_path, keycloak_json(tmp_path))
    assert (settings.issuer, settings.client_id) == ("https://id.example.test/realms/a%20c", "RSA-2048")
    key = keys_of(settings).signing
    assert key.algorithm == "RS256"
    assert isinstance(key, SigningKey)
    digest = hashlib.sha256(key.verification_key.spki).digest()
    assert key.kid == base64.urlsafe_b64encode(digest).decode().rstrip("="), "as Keycloak's adapters call it"
    assert PASSWORD not in repr(settings)


def test_a_jwk_in_place_of_its_keystore_has_a_name_of_its_own(tmp_path: Path) -> None:
    made = SigningKey.generate("RS256")
    kept = tmp_path / "key.jwk"
    kept.write_bytes(made.export_private_jwk())
    jwt = {"client-keystore-file": str(kept), "client-keystore-password": PASSWORD}
    key = keys_of(read(tmp_path, keycloak_json(tmp_path, credentials={"jwt": jwt}))).signing
    assert key.kid == made.kid


def test_keycloak_json_may_have_a_secret(tmp_path: Path) -> None:
    setting = keycloak_json(tmp_path, credentials={"secret": "of keycloak"})
    assert secret_of(read(tmp_path, setting)) == "of keycloak"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"realm": ""}, "realm is missing or not a text"),
        ({"resource": 5}, "resource is missing or not a text"),
        (
            {"auth-server-url": "http://id.example.test"},
            "auth-server-url of keycloak_json must begin with https",
        ),
        (
            {"auth-server-url": "id"},
            "auth-server-url of keycloak_json must be a URL such as https://id.example.com",
        ),
        ({"credentials": {}}, "credentials has neither secret nor jwt"),
        ({"credentials": {"secret": ""}}, "secret is missing or not a text"),
        ({"credentials": {"jwt": 5}}, "jwt is not an object"),
        ({"credentials": {"jwt": {}}}, "client-keystore-file is missing"),
        (
            {"credentials": {"jwt": {"client-keystore-file": "/none.p12", "client-keystore-password": "s"}}},
            "client-keystore-file of keycloak_json /none.p12 cannot be read",
        ),
    ],
)
def test_a_mistake_in_keycloak_json_is_named(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(AgentSettingsError, match=told):
        credential_of(read(tmp_path, keycloak_json(tmp_path, **changes)), {})


def test_keycloak_json_that_is_none_is_named(tmp_path: Path) -> None:
    setting = keycloak_json(tmp_path)
    for text in ("{", "[]"):
        (tmp_path / "keycloak.json").write_text(text)
        with pytest.raises(AgentSettingsError, match=r"keycloak_json .* is not"):
            read(tmp_path, setting)
