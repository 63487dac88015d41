"""A plan says what the migration then does, and what an administrator does about it."""

import json
from pathlib import Path
from typing import Any

import pytest

from keyturn.migrate.advice import UNKNOWN
from keyturn.migrate.moving import MovingOrder, run_apply, run_plan
from keyturn.migrate.source import SourceOptions
from tests.testkit.admin_api import settings_for
from tests.testkit.credentials_process import environment

JWT = {"clientAuthenticatorType": "client-jwt", "secret": "unused"}
GOOD = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
ODD_KEY = json.dumps({"keys": [{"kty": "EC", "crv": "P-999", "kid": "odd"}, GOOD]})
DOCUMENT: dict[str, Any] = {
    "realm": "acme",
    "enabled": True,
    "sslRequired": "all",
    "defaultSignatureAlgorithm": "HS256",
    "clientPolicies": {"policies": [{"name": "x"}]},
    "surelyNoMember": 1,
    "clients": [
        {"clientId": "plain", "secret": "the secret of plain", "serviceAccountsEnabled": True},
        {"clientId": "broker"},
        {"clientId": "no-secret"},
        {"clientId": "vaulted", "secret": "${vault.it}"},
        {"clientId": "$(env:CLIENT)"},
        {"clientId": "saml-app", "protocol": "saml"},
        {"clientId": "custom", "clientAuthenticatorType": "of-its-own"},
        {"clientId": "keyless", **JWT},
        {
            "clientId": "inside",
            **JWT,
            "attributes": {"use.jwks.url": "true", "jwks.url": "http://10.0.0.1/k"},
        },
        {"clientId": "odd-key", **JWT, "attributes": {"use.jwks.string": "true", "jwks.string": ODD_KEY}},
        {"clientId": "ended", "secret": "the secret of ended", "notBefore": 1700000000},
        {"clientId": "named-badly", "id": "My App", "secret": "the secret of it"},
        {"clientId": "spa", "publicClient": True, "redirectUris": ["javascript:alert(1)"]},
        {
            "clientId": "long",
            "secret": "the secret of long",
            "attributes": {"access.token.lifespan": "999999", "saml.signing.private.key": "MIIE"},
        },
        {"clientId": "session", "secret": "s of session", "attributes": {"access.token.lifespan": "-1"}},
        {
            "clientId": "both",
            **JWT,
            "attributes": {
                "use.jwks.url": "true",
                "jwks.url": "https://example.com/k",
                "use.jwks.string": "true",
                "jwks.string": '{"keys": []}',
            },
        },
        {
            "clientId": "refreshing",
            "secret": "the secret of refreshing",
            "attributes": {"client_credentials.use_refresh_token": "true"},
        },
        {"clientId": "authz", "secret": "the secret of authz", "authorizationServicesEnabled": True},
    ],
}


@pytest.fixture
def order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MovingOrder:
    settings = settings_for(f"sqlite+aiosqlite:///{tmp_path}/own.db", "redis://nobody.invalid")
    for name, value in environment(settings, 0).items():
        if name.startswith("KEYTURN_"):
            monkeypatch.setenv(name, value)
    file = tmp_path / "realm.json"
    file.write_text(json.dumps(DOCUMENT))
    source = SourceOptions(str(file), None, "master", "admin", None, allow_http=False)
    return MovingOrder(source, None, "SKIP", None, as_json=True, only_problems=False)


def test_a_plan_is_what_is_then_done_and_every_reason_has_something_to_do(
    order: MovingOrder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_plan(order) == 1
    planned = json.loads(capsys.readouterr().out)
    assert run_apply(order) == 1
    done = json.loads(capsys.readouterr().out)
    assert (planned["sha256"], planned["realms"][0]["counts"]) == (
        done["sha256"],
        done["realms"][0]["counts"],
    )
    outcomes = {client["clientId"]: client for client in planned["realms"][0]["clients"]}
    for client in done["realms"][0]["clients"]:
        assert {**client, "id": None} == {**outcomes[client["clientId"]], "id": None}
    assert outcomes["plain"]["outcome"] == "unchanged"
    assert outcomes["broker"]["outcome"] == "own"
    refused = {name for name, client in outcomes.items() if client["outcome"] == "refused"}
    assert refused == {"$(env:CLIENT)", "saml-app", "custom"}
    realm_notes = planned["realms"][0]["realmNotes"]
    assert len(realm_notes) == 4
    notes = [*realm_notes, *(note for client in outcomes.values() for note in client["notes"])]
    assert [note for note in notes if note["toDo"] == UNKNOWN] == []


def test_a_second_run_finds_everything_there(order: MovingOrder, capsys: pytest.CaptureFixture[str]) -> None:
    run_apply(order)
    capsys.readouterr()
    run_apply(order)
    counts = json.loads(capsys.readouterr().out)["realms"][0]["counts"]
    assert counts == {"unchanged": 0, "changed": 0, "present": 14, "own": 1, "refused": 3}


def test_a_realm_that_is_not_in_the_file_is_an_error_that_changes_nothing(
    order: MovingOrder, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    other = SourceOptions(order.source.source, "other", "master", "admin", None, allow_http=False)
    assert run_apply(MovingOrder(other, None, "SKIP", None, as_json=False, only_problems=False)) == 2
    assert "has no realm other" in capsys.readouterr().err
    assert not (tmp_path / "own.db").exists()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://keycloak.example.com", "everyone on the way can read the secrets"),
        ("https://me:secret@keycloak.example.com", "the URL must have a host, and a path at most"),
    ],
)
def test_a_keycloak_that_secrets_would_leak_to_is_refused(
    order: MovingOrder, capsys: pytest.CaptureFixture[str], url: str, said: str
) -> None:
    source = SourceOptions(url, "acme", "master", "admin", None, allow_http=False)
    assert run_plan(MovingOrder(source, None, "SKIP", None, as_json=False, only_problems=False)) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "secret@" not in error
