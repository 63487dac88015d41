"""Rules of a policy, by their short names."""

import pytest

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.policy_rules import RULES, Rule, assignment, in_force
from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.rotation_rules import RotationRules


def test_every_attribute_of_a_policy_has_a_name() -> None:
    policies = {
        value
        for name, value in vars(attributes).items()
        if name.startswith(("POLICY_", "ROTATION_", "KEY_"))
        and isinstance(value, str)
        and value.startswith("keyturn.")
    }
    assert set(RULES.values()) == policies


@pytest.mark.parametrize(
    ("text", "attribute", "value"),
    [
        ("expiration-period=90d", "keyturn.secret.expiration-period", "7776000"),
        ("jitter=2h", "keyturn.rotation.jitter", "7200"),
        ("expiration-period=60", "keyturn.secret.expiration-period", "60"),
        ("keyturn.secret.expiration-period=1w", "keyturn.secret.expiration-period", "604800"),
        ("window=mon-fri 01:00-05:00", "keyturn.rotation.window", "mon-fri 01:00-05:00"),
        ("automatic=", "keyturn.rotation.automatic", ""),
        ("max-at-once=2d", "keyturn.rotation.max-at-once", "2d"),
    ],
)
def test_a_rule_is_an_attribute(text: str, attribute: str, value: str) -> None:
    assert assignment(text) == (attribute, value)


@pytest.mark.parametrize("text", ["", "window", "=", "colour=blue", "keyturn.admin.roles=admin"])
def test_other_attributes_are_refused(text: str) -> None:
    with pytest.raises(CommandError) as refused:
        assignment(text)
    assert refused.value.exit_code is ExitCode.USAGE


def test_a_clients_lifetimes_replace_its_realms_together() -> None:
    of_realm = {
        "keyturn.secret.expiration-period": "1000",
        "keyturn.secret.rotated-expiration-period": "100",
        "keyturn.rotation.window": "01:00-05:00",
        "keyturn.rotation.max-at-once": "5",
    }
    of_client = {"keyturn.secret.expiration-period": "500", "keyturn.rotation.max-at-once": "9"}
    assert in_force(of_client, of_realm) == [
        Rule("expiration-period", "500", "client"),
        Rule("window", "01:00-05:00", "realm"),
        Rule("max-at-once", "5", "realm"),
    ]
    rules = RotationRules.from_attributes(of_client, of_realm)
    assert rules.policy is not None
    assert (rules.policy.expiration, rules.policy.rotated_expiration, rules.max_at_once) == (500, 0, 5)


def test_a_client_without_a_lifetime_of_its_own_has_its_realms() -> None:
    of_realm = {"keyturn.secret.expiration-period": "1000"}
    assert in_force({"keyturn.secret.rotated-expiration-period": "7"}, of_realm) == [
        Rule("expiration-period", "1000", "realm")
    ]
