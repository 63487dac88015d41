"""Processes of the local stack are given what they need, and no more."""

from keyturn.local.environment import StackEnvironment
from keyturn.local.ports import ReservedPort
from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.keys import LogSigningKeys


def test_a_node_is_given_neither_the_database_nor_the_secret_at_the_identity_provider() -> None:
    secrets = {
        "KEYTURN_ENCRYPTION_KEYS": KeyRing.generate_key(),
        "KEYTURN_FLEET_KEYS": KeyRing.generate_key(),
        "KEYTURN_LOG_SIGNING_KEYS": LogSigningKeys.generate_key(),
    }
    users = {"KEYTURN_CONSOLE_OIDC_CLIENT_SECRET": "words", "KEYTURN_LOG_LEVEL": "debug"}
    environment = StackEnvironment(users, secrets, "http://127.0.0.1:1", "redis://127.0.0.1:2", "sqlite://")
    with ReservedPort() as port:
        credentials, node = environment.of_credentials(port), environment.of_node("node-1", port, port)
    assert credentials["KEYTURN_CONSOLE_OIDC_CLIENT_SECRET"] == "words"
    assert (credentials["KEYTURN_LOG_LEVEL"], node["KEYTURN_LOG_LEVEL"]) == ("debug", "debug")
    withheld = {"KEYTURN_CONSOLE_OIDC_CLIENT_SECRET", "KEYTURN_ENCRYPTION_KEYS", "KEYTURN_DATABASE_URL"}
    assert node.keys().isdisjoint(withheld)
