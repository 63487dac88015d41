"""Manifests of Secrets, by Kubernetes' own schema."""

import base64
from pathlib import Path

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from keyturn import ClientSecret
from keyturn.agent.sinks.content import Client
from keyturn.agent.sinks.manifest import manifest
from keyturn.agent.sinks.settings import KubernetesSettings
from keyturn.cli import app
from tests.testkit.kubernetes import secret_in

CLIENT = Client("https://id.example.test/realms/acme", "orders")
CONFIG = """
issuer = "https://id.example.test/realms/acme"
client_id = "orders"
state = "{0}/state.json"
secret_file = "{0}/secret"
port = 8090
"""
SINKS = """
[[kubernetes]]
name = "orders-client"
namespace = "shop"
data = { CLIENT_SECRET = "secret", CLIENT_ID = "client_id" }
[[kubernetes]]
name = "orders"
"""


def test_it_has_nothing_but_what_the_agent_owns() -> None:
    made = manifest(KubernetesSettings(name="orders"), CLIENT, "ß secret")
    assert secret_in(made) == {"client-secret": "ß secret"}
    assert made["metadata"] == {"name": "orders"}


@pytest.mark.parametrize(
    "change", [{"kind": "ConfigMap"}, {"spec": {}}, {"data": {"a": 1}}, {"metadata": []}]
)
def test_the_schema_refuses_what_is_no_secret(change: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        secret_in(manifest(KubernetesSettings(name="orders"), CLIENT, "secret") | change)


def test_the_command_prints_each_secret_as_a_document(tmp_path: Path) -> None:
    config = tmp_path / "agent.toml"
    config.write_text(CONFIG.format(tmp_path) + SINKS)
    (tmp_path / "secret").write_text("configured\n")
    first = CliRunner().invoke(app, ["agent", str(config), "--manifest"])
    assert first.exit_code == 0, first.output
    one, two = yaml.safe_load_all(first.stdout)
    assert secret_in(one) == {"CLIENT_SECRET": "configured", "CLIENT_ID": "orders"}
    assert (one["metadata"], one["type"]) == ({"name": "orders-client", "namespace": "shop"}, "Opaque")
    assert secret_in(two) == {"client-secret": "configured"}
    ClientSecret("configured", state=tmp_path / "state.json").use("of a rotation")
    later = CliRunner().invoke(app, ["agent", str(config), "--manifest"])
    assert base64.b64encode(b"of a rotation").decode() in later.stdout


def test_without_a_secret_of_kubernetes_it_says_so(tmp_path: Path) -> None:
    config = tmp_path / "agent.toml"
    config.write_text(CONFIG.format(tmp_path))
    ended = CliRunner().invoke(app, ["agent", str(config), "--manifest"])
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "there is no [[kubernetes]]" in ended.stderr
