"""A realm export is taken over whole, by the command and by a call of the admin API alike."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.errors import ConflictError, CredentialsError, InvalidRequestError
from keyturn_credentials.operations import import_pace
from keyturn_credentials.operations.import_pace import Pace
from keyturn_credentials.operations.import_plan import IfExists
from keyturn_credentials.operations.import_report import Action, ImportReport
from keyturn_credentials.operations.targets import ClientTarget, RealmTarget
from keyturn_credentials.operations.wiring import Operations, build_operations
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.realm_transfer import import_export, write_export
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.event_log import DatabaseEventLog
from keyturn_credentials.store.migrate import migrate
from keyturn_credentials.store.unit_of_work import Actor, Store
from keyturn_shared.clock import SystemClock
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.sealing import KeyRing
from tests.testkit.admin_api import AdminApi, settings_for

ACTOR = Actor(Principal.system())
THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
OF_ITS_OWN = {
    "keyturn.secret.expiration-period": "86400",
    "keyturn.secret.rotated-expiration-period": "3600",
    "keyturn.strict-audience": "true",
    "keyturn.signing.algorithm": "ES384",
    "keyturn.jwks.allowed-networks": "10.0.0.0/8",
}
POLICY = {name: text for name, text in OF_ITS_OWN.items() if name.startswith("keyturn.secret.")}
SETTINGS: dict[str, Any] = {
    "enabled": False,
    "accessTokenLifespan": 120,
    "displayName": "Acme",
    "sslRequired": "all",
}


def client(client_id: str = "orders", **members: Any) -> dict[str, Any]:
    return {"clientId": client_id, "secret": f"the secret of {client_id}", **members}


def document(*clients: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"realm": "acme", "attributes": OF_ITS_OWN, "clients": list(clients) or [client()], **members}


@pytest.fixture
def settings(tmp_path: Path) -> CredentialsSettings:
    return settings_for(f"sqlite+aiosqlite:///{tmp_path}/own.db", "redis://nobody.invalid")


@pytest.fixture
def keep(tmp_path: Path) -> Callable[[Any], Path]:
    def write(content: Any) -> Path:
        file = tmp_path / "realm.json"
        file.write_text(json.dumps(content))
        return file

    return write


@asynccontextmanager
async def stored(settings: CredentialsSettings) -> AsyncIterator[tuple[Operations, Queries, Store]]:
    database = Database(settings.database_url)
    try:
        await migrate(database)
        store = Store(database, SystemClock(), settings.encryption_ring(), log_keys=settings.log_keys())
        yield build_operations(store, SystemClock(), settings), Queries(store), store
    finally:
        await database.close()


async def realm_of(settings: CredentialsSettings, name: str = "acme") -> Realm:
    async with stored(settings) as (_, queries, _):
        return await queries.realm(name)


async def exported(settings: CredentialsSettings, name: str = "acme") -> Any:
    return json.loads(b"".join([piece async for piece in write_export(settings, name, with_secrets=True)]))


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


async def run(operations: Operations, content: dict[str, Any], pace: Pace) -> ImportReport:
    return await operations.realm_imports.run(ACTOR, content, pace=pace)


@pytest.mark.parametrize("failure", [CredentialsError("the disk is full"), asyncio.CancelledError()])
async def test_an_import_in_steps_that_fails_leaves_no_realm_behind(
    settings: CredentialsSettings, failure: BaseException
) -> None:
    """Nor one that somebody interrupts. Until it is complete the realm serves nobody."""
    seen: list[bool] = []
    content = document(*(client(f"c{number}") for number in range(5)))
    async with stored(settings) as (operations, queries, _):

        async def fail(_: float) -> None:
            seen.append((await queries.realm("acme")).enabled)
            if len(seen) == 2:
                raise failure

        with pytest.raises(type(failure)):
            await run(operations, content, Pace(batch=2, pause=fail))
        assert seen == [False, False]
        assert [realm.name for realm in await queries.realms()] == []

        async def go_on(_: float) -> None:
            seen.append((await queries.realm("acme")).enabled)

        told: list[tuple[int, int]] = []
        report = await run(
            operations, content, Pace(batch=2, pause=go_on, progress=lambda done, of: told.append((done, of)))
        )
        assert (report.count(Action.ADDED), told) == (5, [(2, 5), (4, 5), (5, 5)])
        assert (await queries.realm("acme")).enabled
        assert seen == [False] * 4


async def test_an_import_in_steps_gives_way_to_others_and_keeps_a_disabled_realm_disabled(
    settings: CredentialsSettings,
) -> None:
    """A process that waits for SQLite's lock looks again after at most 100 ms."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    content = document(*(client(f"c{number}") for number in range(3)), enabled=False)
    async with stored(settings) as (operations, queries, _):
        pace = Pace(batch=1, give_way=import_pace.GIVE_WAY_SECONDS, pause=pause)
        report = await run(operations, content, pace)
        assert [line.action for line in report.clients] == [Action.ADDED] * 3
        assert not (await queries.realm("acme")).enabled
    assert pauses == [import_pace.GIVE_WAY_SECONDS] * 2
    assert import_pace.GIVE_WAY_SECONDS > 0.1


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


async def test_an_import_that_was_interrupted_is_continued_and_writes_nothing_twice(
    settings: CredentialsSettings,
) -> None:
    """A process that is killed cannot delete the realm that it began."""
    content = document(*(client(f"c{number}") for number in range(5)), attributes={})
    seen: list[float] = []

    async def fail_at_the_second(_: float) -> None:
        seen.append(0.0)
        if len(seen) == 2:
            raise asyncio.CancelledError

    async def go_on(_: float) -> None:
        """Take no time."""

    async with stored(settings) as (operations, queries, store):
        imports = operations.realm_imports
        with pytest.raises(asyncio.CancelledError):
            await imports.run(
                ACTOR, content, keep_unfinished=True, pace=Pace(batch=2, pause=fail_at_the_second)
            )
        realm = await queries.realm("acme")
        assert (realm.enabled, realm.attributes["keyturn.import.unfinished"]) == (False, "true")
        planned = await imports.run(ACTOR, content, dry_run=True, pace=Pace(batch=2, pause=go_on))
        assert (planned.count(Action.SKIPPED), planned.count(Action.ADDED)) == (4, 1)
        report = await imports.run(ACTOR, content, pace=Pace(batch=2, pause=go_on))
        assert (report.count(Action.SKIPPED), report.count(Action.ADDED)) == (4, 1)
        completed = await queries.realm("acme")
        assert (completed.id, completed.enabled) == (realm.id, True)
        assert "keyturn.import.unfinished" not in completed.attributes
        assert completed.attributes["access.token.header.type.rfc9068"] == "false"
        before = await DatabaseEventLog(store.database, SystemClock()).head()
        again = await imports.run(ACTOR, content, if_exists=IfExists.SKIP, pace=Pace(batch=2, pause=go_on))
        assert again.count(Action.SKIPPED) == 5
        for _ in range(2):  # the first one writes the settings as the export has them
            overwritten = await imports.run(ACTOR, content, if_exists=IfExists.OVERWRITE)
            assert overwritten.count(Action.OVERWRITTEN) == 5
            after = await DatabaseEventLog(store.database, SystemClock()).head()
        assert after <= before + 1
