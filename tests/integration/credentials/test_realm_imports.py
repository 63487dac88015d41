"""A realm export is taken over whole, by the command and by a call of the admin API alike."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from keyturn_credentials.errors import ConflictError, InvalidRequestError
from keyturn_credentials.operations.import_plan import IfExists
from keyturn_credentials.operations.import_report import Action
from keyturn_credentials.operations.targets import ClientTarget, RealmTarget
from keyturn_credentials.realm_transfer import import_export
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.sealing import KeyRing
from tests.integration.credentials.realm_exports import (
    ACTOR,
    OF_ITS_OWN,
    POLICY,
    SETTINGS,
    THUMBPRINT,
    client,
    document,
    exported,
    realm_of,
    stored,
)
from tests.testkit.admin_api import AdminApi, settings_for


@pytest.fixture
def keep(tmp_path: Path) -> Callable[[Any], Path]:
    def write(content: Any) -> Path:
        file = tmp_path / "realm.json"
        file.write_text(json.dumps(content))
        return file

    return write


async def test_a_realms_own_settings_survive(
    settings: CredentialsSettings, keep: Callable[[Any], Path]
) -> None:
    (report,) = await import_export(settings, keep(document(**SETTINGS)))
    assert report.realm is not None
    assert report.realm.action is Action.ADDED
    assert [note.partition(" ")[0] for note in report.realm.notes] == ["sslRequired"]
    realm = await realm_of(settings)
    assert (realm.enabled, realm.access_token_lifespan, realm.strict_audience) == (False, 120, True)
    assert OF_ITS_OWN.items() <= realm.attributes.items()
    assert realm.document["displayName"] == "Acme"


async def test_the_command_and_the_call_do_the_same(
    api: AdminApi, settings: CredentialsSettings, keep: Callable[[Any], Path]
) -> None:
    """Both leave out what cannot be in force, and both tell of it."""
    document_ = document(
        client(id="11111111-2222-4333-8444-555555555555", protocolMappers=[{"name": "x"}]),
        client("account"),
        id="22222222-2222-4333-8444-555555555555",
        **SETTINGS,
    )
    called = await api.call("POST", "?report=true", json=document_)
    assert called.status_code == 201, called.text
    (report,) = await import_export(settings, keep(document_))
    by_call = called.json()
    assert report.realm is not None
    assert by_call["realm"]["notes"] == list(report.realm.notes)
    assert by_call["results"][0]["notes"] == list(report.clients[0].notes)
    shown = (await api.call("GET", "/acme")).json()
    assert shown == {
        name: value for name, value in (await exported(settings)).items() if name != "clients"
    } | {"attributes": shown["attributes"]}


async def test_keyturns_own_export_is_the_same_after_it_went_elsewhere(
    settings: CredentialsSettings, keep: Callable[[Any], Path], tmp_path: Path
) -> None:
    """Policies, ids, both secrets with their times, and revocations too."""
    async with stored(settings) as (operations, _, _):
        await operations.realms.create(ACTOR, {"realm": "acme", "displayName": "Acme"})
        wanted = {"clientId": "orders", "attributes": POLICY}
        made = await operations.clients.create(ACTOR, "acme", wanted)
        target = ClientTarget(ACTOR, "acme", made.value[0].uuid)
        await operations.secrets.regenerate(target)
        await operations.keys.revoke(target, THUMBPRINT)
        await operations.clients.create(ACTOR, "acme", {"clientId": "web", "serviceAccountsEnabled": False})
        # A policy that came after the secrets, which therefore have no end yet.
        policy = {"attributes": OF_ITS_OWN, "enabled": False}
        await operations.realms.update(RealmTarget(ACTOR, "acme"), policy)
    first = await exported(settings)
    assert THUMBPRINT in first["clients"][0]["keyturnRevokedKeys"]
    elsewhere = settings_for(f"sqlite+aiosqlite:///{tmp_path}/elsewhere.db", "redis://nobody.invalid")
    (report,) = await import_export(elsewhere, keep(first))
    assert not any(line.notes for line in report.clients)
    assert await exported(elsewhere) == first


async def test_one_export_goes_into_a_second_realm_with_ids_of_its_own(
    settings: CredentialsSettings, keep: Callable[[Any], Path]
) -> None:
    """Keycloak's partial import does the same; an id is of one client among all realms."""
    chosen = "11111111-2222-4333-8444-555555555555"
    file = keep(document(client(id=chosen), id="22222222-2222-4333-8444-555555555555"))
    (first,) = await import_export(settings, file)
    assert (first.clients[0].uuid, first.clients[0].notes) == (chosen, ())
    for dry_run in (True, False):
        (second,) = await import_export(settings, file, realm="second", dry_run=dry_run)
        assert second.clients[0].action is Action.ADDED
        assert second.clients[0].uuid != chosen
        assert "new id" in second.clients[0].notes[0]
        assert second.realm is not None
        assert "new id" in second.realm.notes[-1]
    for if_exists in (IfExists.SKIP, IfExists.OVERWRITE):
        (again,) = await import_export(settings, file, realm="second", if_exists=if_exists)
        assert again.clients[0].notes in ((), ("a client with this id already exists",))


async def test_what_was_there_already_keeps_its_settings_but_for_overwrite(
    settings: CredentialsSettings, keep: Callable[[Any], Path]
) -> None:
    await import_export(settings, keep(document()))
    other = keep(document(client("billing"), accessTokenLifespan=99))
    (kept,) = await import_export(settings, other, if_exists=IfExists.SKIP)
    assert kept.realm is not None
    assert (kept.realm.action, "left unchanged" in kept.realm.notes[0]) == (Action.SKIPPED, True)
    assert (await realm_of(settings)).access_token_lifespan == 300
    for dry_run, seconds in ((True, 300), (False, 99)):
        (changed,) = await import_export(settings, other, if_exists=IfExists.OVERWRITE, dry_run=dry_run)
        assert changed.realm is not None
        assert changed.realm.action is Action.OVERWRITTEN
        assert (await realm_of(settings)).access_token_lifespan == seconds
    with pytest.raises(ConflictError, match="Client billing already exists"):
        await import_export(settings, other)


async def test_an_export_without_clients_is_a_realm(
    settings: CredentialsSettings, keep: Callable[[Any], Path]
) -> None:
    (report,) = await import_export(settings, keep({"realm": "acme", "accessTokenLifespan": 77}))
    assert report.clients == ()
    assert (await realm_of(settings)).access_token_lifespan == 77


async def test_realms_of_an_array_go_each_under_its_name(
    settings: CredentialsSettings, keep: Callable[[Any], Path]
) -> None:
    file = keep([document(), {"realm": "second", "clients": [client()]}])
    reports = await import_export(settings, file)
    assert [report.realm.name for report in reports if report.realm] == ["acme", "second"]
    with pytest.raises(InvalidRequestError, match="has 2 realms"):
        await import_export(settings, file, realm="third")


async def test_a_dry_run_writes_nothing_where_there_is_nothing(
    settings: CredentialsSettings, keep: Callable[[Any], Path], tmp_path: Path
) -> None:
    (rehearsed,) = await import_export(settings, keep(document(**SETTINGS)), dry_run=True)
    assert sorted(os.listdir(tmp_path)) == ["realm.json"]
    (done,) = await import_export(settings, keep(document(**SETTINGS)))
    assert [line.notes for line in done.clients] == [line.notes for line in rehearsed.clients]
    assert done.realm is not None
    assert rehearsed.realm is not None
    assert done.realm.notes == rehearsed.realm.notes


async def test_an_import_under_other_keys_than_the_databases_is_refused(
    settings: CredentialsSettings, keep: Callable[[Any], Path]
) -> None:
    """Its secrets could be opened by nobody."""
    await import_export(settings, keep(document()))
    other = settings.model_copy(update={"encryption_keys": SecretStr(KeyRing.generate_key())})
    with pytest.raises(ConfigurationError, match="KEYTURN_ENCRYPTION_KEYS"):
        await import_export(other, keep(document()), realm="second")


async def test_a_client_is_made_as_keycloak_would_have_made_it(
    settings: CredentialsSettings, keep: Callable[[Any], Path]
) -> None:
    """Without a service account where the file says nothing, and with its secret as old as it was."""
    made = client(attributes={"client.secret.creation.time": "1700000000"})
    (report,) = await import_export(settings, keep(document(made, {"clientId": "none"}, attributes={})))
    assert [line.notes for line in report.clients] == [
        (),
        ("the secret is not in the export: a new one was generated",),
    ]
    shown = (await exported(settings))["clients"]
    assert [one["serviceAccountsEnabled"] for one in shown] == [False, False]
    assert shown[1]["attributes"]["client.secret.creation.time"] == "1700000000"
    (again,) = await import_export(
        settings, keep(document({"clientId": "orders"}, attributes={})), if_exists=IfExists.OVERWRITE
    )
    assert again.clients[0].notes == ("the secret is not in the export: it stays as it was",)
    assert (await exported(settings))["clients"][1]["secret"] == "the secret of orders"


async def test_a_skipped_key_of_an_inline_set_is_told_of(
    settings: CredentialsSettings, keep: Callable[[Any], Path]
) -> None:
    good = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    keys = json.dumps({"keys": [{"kty": "EC", "crv": "P-999", "kid": "odd"}, good]})
    by_keys = {
        "clientId": "orders",
        "clientAuthenticatorType": "client-jwt",
        "attributes": {"use.jwks.string": "true", "jwks.string": keys},
    }
    (report,) = await import_export(settings, keep(document(by_keys)))
    assert report.clients[0].notes == ("jwks.string: key 0 (odd) is skipped: unknown_curve: P-999",)


async def test_the_body_of_a_call_is_read_as_a_file_is(api: AdminApi) -> None:
    body = "\ufeff" + json.dumps([{"realm": "marked", "clients": [client()]}])
    made = await api.call("POST", "", content=body.encode("utf-16-le"))
    assert (made.status_code, made.content, "keyturn-notice" in made.headers) == (201, b"", False)
    noted = await api.call("POST", "", json={"realm": "noted", "clients": [client(), {"clientId": "made"}]})
    assert (noted.status_code, noted.content) == (201, b"")
    assert noted.headers["keyturn-notice"].startswith("0 notes on the realm, and notes on 1 of its clients")
    again = b'{"clients": [{"clientId": "a", "baseUrl": "/", "baseUrl": "/"}]}'
    assert (await api.call("POST", "/marked/partialImport", content=again)).json()["added"] == 1
    other = again.replace(b'"/"}', b'"/x"}')
    refused = await api.call("POST", "/marked/partialImport", content=other)
    assert (refused.status_code, "clients[0].baseUrl" in refused.json()["errorMessage"]) == (400, True)
    two = await api.call("POST", "", json=[{"realm": "a"}, {"realm": "b"}])
    assert "send them one at a time" in two.json()["errorMessage"]
