"""A variable that no program reads is a mistake, unless something else than a person set it."""

import pytest

from keyturn.known_variables import SETTINGS, unknown_variables
from keyturn_credentials.settings import CredentialsSettings
from keyturn_verifier.settings import FetcherSettings, VerifierSettings


def test_the_list_has_the_settings_of_all_services() -> None:
    kinds = (CredentialsSettings, VerifierSettings, FetcherSettings)
    assert {name for kind in kinds for name in kind.model_fields} == SETTINGS


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("KEYTURN_LEASE_SECOND", "KEYTURN_LEASE_SECONDS"),
        ("KEYTURN_REDISURL", "KEYTURN_REDIS_URL"),
        ("KEYTURN_ENCRYPTION_KEY_FILE", "KEYTURN_ENCRYPTION_KEYS_FILE"),
        ("keyturn_log_levl", "KEYTURN_LOG_LEVEL"),
    ],
)
def test_the_nearest_right_name_is_named(name: str, meant: str) -> None:
    (line,) = unknown_variables({name: "value", "PATH": "/bin"})
    assert line == f"{name}: no program of keyturn reads this variable; did you mean {meant}?"


def test_a_name_that_resembles_none_is_named_alone() -> None:
    assert unknown_variables({"KEYTURN_ZZZZZZ": "secret"}) == [
        "KEYTURN_ZZZZZZ: no program of keyturn reads this variable"
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEYTURN_CREDENTIALS_URL", "http://credentials"),
        ("KEYTURN_DATABASE_URL_FILE", "/run/secrets/url"),
        ("KEYTURN_AGENT_SECRET", "x"),
        ("KEYTURN_MIGRATE_ADMIN_SECRET_FILE", "x"),
        ("KEYTURN_PROFILE", "x"),
        ("keyturn_port", "8081"),
    ],
)
def test_a_name_that_any_program_reads_is_known(name: str, value: str) -> None:
    assert unknown_variables({name: value}) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEYTURN_SERVICE_HOST", "10.0.0.1"),
        ("KEYTURN_SERVICE_PORT", "8081"),
        ("KEYTURN_CREDENTIALS_SERVICE_PORT_HTTP", "8081"),
        ("KEYTURN_CREDENTIALS_PORT", "tcp://10.0.0.1:8081"),
        ("KEYTURN_CREDENTIALS_PORT_8081_TCP", "tcp://10.0.0.1:8081"),
        ("KEYTURN_PORT_8081_TCP_ADDR", "10.0.0.1"),
    ],
)
def test_what_kubernetes_sets_for_its_services_is_no_mistake(name: str, value: str) -> None:
    assert unknown_variables({name: value}) == []
