"""The agent's settings: what is refused, and how it is said."""

from pathlib import Path

import pytest

from keyturn.agent.settings import AgentSettings, AgentSettingsError

GOOD = """
issuer = "https://id.example.test/realms/acme"
client_id = "orders"
state = "/var/lib/agent/orders.json"
socket = "/run/agent.sock"
"""

IN_TOKEN = 'pkcs11_module = "m"\n'
SECRET = '[[files]]\npath = "a"\nholds = "secret"\n'


def read(directory: Path, text: str) -> AgentSettings:
    path = directory / "agent.toml"
    path.write_text(text)
    return AgentSettings.read(path)


def test_a_complete_file_is_read(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        GOOD.replace('socket = "/run/agent.sock"', "port = 8090")
        + """
        [[files]]
        path = "/run/token"
        holds = "token"
        scope = "stock.read"
        mode = "0640"
        command = ["systemctl", "reload", "orders"]
        [[files]]
        path = "/run/secret"
        holds = "secret"
        """,
    )
    assert (settings.port, settings.socket) == (8090, None)
    token, secret = settings.files
    assert (token.scope, token.mode, token.command[1]) == ("stock.read", "0640", "reload")
    assert (secret.mode, secret.command) == ("0600", [])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('state = "', 'estate = "'), "unknown field `estate`"),
        (('client_id = "orders"', ""), "missing required field `client_id`"),
        (("https://id.example.test/realms/acme", "id.example.test"), "issuer must be the URL of a realm"),
        (("https://", "http://"), "must begin with https://"),
        (("realms/acme", "realms/acme/"), "issuer must be the URL of a realm"),
        (("realms/acme", "realms/acme?x=1"), "issuer must be the URL of a realm"),
        (("https://id", "https://me:pw@id"), "issuer must be the URL of a realm"),
        (('socket = "/run/agent.sock"', ""), "set either socket"),
        (('socket = "', 'port = 80\nsocket = "'), "set either socket"),
        (('socket = "/run/agent.sock"', "port = 0"), r"`\$.port`"),
        (("client_id", "[client_id"), "agent.toml: "),
        (("/run/agent.sock", "/run/agent.sock\nx"), "agent.toml: "),
        ((GOOD, GOOD + '[[files]]\npath = "a"\nholds = "key"'), "Invalid enum value 'key'"),
        ((GOOD, GOOD + '[[files]]\npath = "a"\nholds = "secret"\nscope = "b"'), "holds a secret"),
        ((GOOD, GOOD + '[[files]]\npath = "a"\nholds = "secret"\nmode = "7777"'), r"files\[0\].mode"),
        (
            (GOOD, GOOD + 'secret_file = "a"\nkey_file = "b"'),
            "only one of .*: there are secret_file and key_file",
        ),
        ((GOOD, GOOD + 'key_alias = "a"'), "key_alias is of a key_file"),
        ((GOOD, GOOD + 'key_entry_password_file = "a"'), "key_entry_password_file is of a key_file"),
        ((GOOD, GOOD + 'key_id = "a"'), "key_id is of a key_file or pkcs11_module, and neither is set"),
        ((GOOD, GOOD + 'pkcs11_key = "a"'), "pkcs11_key is of pkcs11_module, which is not set"),
        ((GOOD, GOOD + 'pkcs11_pin_file = "a"'), "pkcs11_pin_file is of pkcs11_module, which is not set"),
        ((GOOD, GOOD + IN_TOKEN), "set either pkcs11_token, the token's label, or pkcs11_serial"),
        (
            (GOOD, GOOD + IN_TOKEN + 'pkcs11_token = "a"\npkcs11_serial = "b"'),
            "set either pkcs11_token, the token's label, or pkcs11_serial",
        ),
        ((GOOD, GOOD + IN_TOKEN + 'pkcs11_token = "a"'), "set pkcs11_key, the key's label, or pkcs11_key_id"),
        ((GOOD, GOOD + IN_TOKEN + 'key_file = "b"'), "there are key_file and pkcs11_module"),
        ((GOOD, GOOD + IN_TOKEN + 'key_alias = "b"'), "key_alias is of a key_file"),
        ((GOOD, GOOD + 'generate_key = "HS256"'), "generate_key must be one of .*ES256"),
        ((GOOD, GOOD + 'jwks_host = "::"'), "jwks_host is of jwks_port"),
        (('socket = "/run/agent.sock"', "port = 80\njwks_port = 80"), "jwks_port and port must differ"),
        ((GOOD, GOOD + 'keycloak_json = "k"'), "either issuer or keycloak_json"),
        ((GOOD, 'keycloak_json = "none"\nstate = "s"'), "keycloak_json none cannot be read: No such file"),
        ((GOOD, 'keycloak_json = 5\nstate = "s"'), "Expected `str | null`"),
        (
            (GOOD, GOOD + '[[files]]\npath = "/var/lib/agent/orders.json"\nholds = "secret"'),
            "orders.json is named twice",
        ),
        (
            (GOOD, GOOD + '[[files]]\npath = "/var/lib/agent/orders.json.sinks"\nholds = "secret"'),
            "orders.json.sinks is named twice",
        ),
        ((GOOD, GOOD + SECRET + 'format = "env"'), "format = .env. and name go together"),
        ((GOOD, GOOD + SECRET + 'name = "A"'), "format = .env. and name go together"),
        ((GOOD, GOOD + SECRET + 'format = "env"\nname = "A B"'), r"files\[0\].name"),
        ((GOOD, GOOD + SECRET + 'format = "env"\nname = "A\\n"'), r"files\[0\].name"),
        ((GOOD, GOOD + SECRET + 'signal = "HUP"'), "signal and pid_file go together"),
        ((GOOD, GOOD + SECRET + 'signal = "KILL"\npid_file = "p"'), "Invalid enum value 'KILL'"),
    ],
)
def test_a_mistake_is_named_with_its_file(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    with pytest.raises(AgentSettingsError, match=told) as refused:
        read(tmp_path, GOOD.replace(*change))
    assert "agent.toml" in refused.value.detail


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AgentSettingsError, match=r"none.toml cannot be read: No such file"):
        AgentSettings.read(tmp_path / "none.toml")
