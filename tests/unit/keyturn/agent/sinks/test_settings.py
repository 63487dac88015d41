"""Settings of the sinks: what is refused, and how it is said."""

from pathlib import Path

import pytest

from keyturn.agent.settings import AgentSettings, AgentSettingsError

AGENT = """
issuer = "https://id.example.test/realms/acme"
client_id = "orders"
state = "/var/lib/agent/orders.json"
port = 8090
"""
KUBERNETES = '[[kubernetes]]\nnamespace = "shop"\nname = "orders-client"\n'
VAULT = '[[vault]]\naddress = "https://vault.example.test:8200"\npath = "orders"\ntoken_file = "/run/t"\n'
WEBHOOK = '[[webhooks]]\nurl = "https://shop.example.test/hooks"\nsecret_file = "/s"\nkey_file = "/k"\n'


def read(directory: Path, text: str) -> AgentSettings:
    path = directory / "agent.toml"
    path.write_text(AGENT + text)
    return AgentSettings.read(path)


def test_defaults_are_those_of_a_pod_and_of_vault(tmp_path: Path) -> None:
    settings = read(tmp_path, KUBERNETES + VAULT + WEBHOOK)
    (cluster,), (vault,), (webhook,) = settings.kubernetes, settings.vault, settings.webhooks
    assert cluster.ca_file == "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
    assert (cluster.type, cluster.data, cluster.address) == ("Opaque", {"client-secret": "secret"}, None)
    assert (vault.mount, vault.data) == ("secret", {"client_secret": "secret"})
    assert [each.label for each in (cluster, vault, webhook)] == [
        "kubernetes:shop/orders-client",
        "vault:secret/orders",
        "webhook:shop.example.test/hooks",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (KUBERNETES * 2, "kubernetes:shop/orders-client is named twice"),
        (KUBERNETES.replace("orders-client", "Orders"), r"kubernetes\[0\].name"),
        (KUBERNETES.replace("orders-client", "a/../b"), r"kubernetes\[0\].name"),
        (KUBERNETES.replace("shop", "shop.eu"), r"kubernetes\[0\].namespace"),
        (KUBERNETES + 'data = { "a b" = "secret" }', r"kubernetes\[0\].data"),
        (KUBERNETES + 'data = { a = "password" }', "Invalid enum value 'password'"),
        (KUBERNETES + "data = {}", r"kubernetes\[0\].data"),
        (KUBERNETES + 'address = "http://10.0.0.1"', "address must begin with https://"),
        (KUBERNETES + 'address = "https://10.0.0.1/k8s"', "address must be a URL without a path"),
        (KUBERNETES + 'address = "https://10.0.0.1:x"', "address is no URL"),
        (VAULT + 'approle = { role_id = "r" }', "set one of token_file, approle and kubernetes"),
        (VAULT.replace("token_file", "ca_file"), "set one of token_file, approle and kubernetes"),
        (VAULT + 'data = { id = "client_id" }', "nothing in data is the secret"),
        (VAULT.replace('"orders"', '"a/../b"'), ". and .. are no segments"),
        (VAULT.replace('"orders"', '"/orders"'), r"vault\[0\].path"),
        (VAULT.replace("https:", "http:"), "address must begin with https://"),
        (VAULT + 'namespace = "a b"', r"vault\[0\].namespace"),
        (WEBHOOK.replace("https:", "http:"), "url must begin with https://"),
        (WEBHOOK.replace("https://", "https://me:pw@"), "url must be a URL"),
        (WEBHOOK + 'key = "/k"', "unknown field `key`"),
    ],
)
def test_a_mistake_is_named_with_its_sink(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(AgentSettingsError, match=told) as refused:
        read(tmp_path, text)
    assert "agent.toml" in refused.value.detail
    assert "pw@" not in refused.value.detail
