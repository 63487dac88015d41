"""A running Keycloak is read whole, once, and through faults on the way."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress

import httpx
import pytest

from keyturn.migrate import keycloak as module
from keyturn.migrate.keycloak import PAGE, KeycloakError
from keyturn_credentials.domain.export_reading import read_realm
from keyturn_credentials.errors import InvalidRequestError
from tests.unit.keyturn.migrate.recorded_keycloak import REALM, RecordedKeycloak


@pytest.fixture
def recorded() -> RecordedKeycloak:
    return RecordedKeycloak()


def failing(*statuses: int) -> Callable[[httpx.Request], httpx.Response | None]:
    """Return a fault: these statuses, one for each request, then none."""
    left: Iterator[int] = iter(statuses)
    return lambda request: None if (status := next(left, None)) is None else httpx.Response(status)


async def test_an_export_has_the_secrets_and_what_service_accounts_may_do(
    recorded: RecordedKeycloak,
) -> None:
    exported = read_realm(await recorded.read())
    clients = {client.client_id: client for client in exported.clients}
    billing, orders = clients["billing"], clients["orders"]
    assert (billing.no_secret, billing.representation["secret"]) == (None, "the-secret-of-billing")
    assert orders.representation["secret"] == "orders-secret-is-long-enough"
    assert billing.service_account is not None
    assert billing.service_account.client_roles == {"orders": ("write",)}
    assert billing.service_account.realm_roles == ("default-roles-src", "auditor")
    assert [role["name"] for role in exported.settings["roles"]["client"]["orders"]] == ["write"]
    assert exported.settings["clientScopeMappings"]["orders"] == [{"client": "billing", "roles": ["write"]}]
    assert exported.settings["scopeMappings"] == recorded.partial_export["scopeMappings"]
    of_management = {role["name"]: role for role in exported.settings["roles"]["client"]["realm-management"]}
    assert of_management["view-clients"]["composites"] == {
        "realm": [],
        "client": {"realm-management": ["query-clients"]},
    }
    assert clients["realm-management"].is_keycloaks_own


async def test_every_page_is_read_and_each_client_once(recorded: RecordedKeycloak) -> None:
    """A page may be short, because Keycloak leaves out what the caller may not see after it counted."""
    like = recorded.clients[0]
    recorded.clients = [
        {
            **like,
            "id": f"{number:036d}",
            "clientId": f"c{number}",
            "secret": f"secret-of-c{number}",
            "serviceAccountsEnabled": False,
            "fullScopeAllowed": True,
        }
        for number in range(2 * PAGE + 3)
    ]
    del recorded.clients[PAGE - 1]
    told: list[int] = []
    exported = await recorded.read(told.append)
    found = {client["clientId"]: client.get("secret") for client in exported["clients"]}
    assert {name: secret for name, secret in found.items() if name.startswith("c")} == {
        client["clientId"]: client["secret"] for client in recorded.clients
    }
    assert told == [PAGE, 2 * PAGE, 2 * PAGE + 2]


async def test_a_server_that_repeats_its_pages_is_not_asked_for_ever(recorded: RecordedKeycloak) -> None:
    whole = recorded.clients

    def repeat(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(200, json=whole) if request.url.path.endswith("/clients") else None

    recorded.faults = repeat
    await recorded.read()
    assert recorded.asked.count(f"{REALM}/clients") == 2


async def test_faults_that_pass_are_waited_for_and_an_expired_token_is_renewed(
    recorded: RecordedKeycloak,
) -> None:
    passing = failing(401, 503, 429, 500)
    recorded.faults = lambda request: passing(request) if request.url.path.startswith("/admin") else None
    exported = await recorded.read()
    assert len(exported["clients"]) == 3
    assert recorded.tokens == 2


async def test_a_keycloak_that_is_away_is_given_up(recorded: RecordedKeycloak) -> None:
    def refuse(request: httpx.Request) -> httpx.Response | None:
        raise httpx.ConnectError("refused")

    recorded.faults = refuse
    with pytest.raises(KeycloakError, match=r"no answer from kc\.test: ConnectError"):
        await recorded.read()
    assert len(recorded.asked) == 6


@pytest.mark.parametrize(
    ("status", "said"),
    [(403, "needs manage-realm, manage-clients and view-users"), (404, "not found"), (302, "302")],
)
async def test_a_refusal_says_what_is_missing_and_is_not_repeated(
    recorded: RecordedKeycloak, status: int, said: str
) -> None:
    recorded.faults = lambda request: (
        httpx.Response(status) if request.url.path.startswith("/admin") else None
    )
    with pytest.raises(KeycloakError, match=said):
        await recorded.read()
    assert recorded.asked.count(f"{REALM}/partial-export") == 1


async def test_a_wrong_administrator_is_refused_without_naming_the_secret(
    recorded: RecordedKeycloak,
) -> None:
    with pytest.raises(KeycloakError, match="keyturn-migration cannot get a token") as refused:
        await recorded.read(secret="another-secret")
    assert "another-secret" not in str(refused.value)
    assert len(recorded.asked) == 1


async def test_a_masked_secret_is_asked_for_by_itself_and_missed_where_it_may_not_be_read(
    recorded: RecordedKeycloak,
) -> None:
    """Keycloak 26.8 masks secrets for administrators who may only view clients."""
    for client in recorded.clients:
        if "secret" in client:
            client["secret"] = "**********"
    orders = next(client for client in recorded.clients if client["clientId"] == "orders")
    recorded.secrets[orders["id"]] = "read-by-itself"
    exported = read_realm(await recorded.read())
    clients = {client.client_id: client for client in exported.clients}
    assert clients["orders"].representation["secret"] == "read-by-itself"
    assert clients["billing"].no_secret == "the secret is not in the export"


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b'{"a": 1, "a": 2}', b"{}"])
async def test_what_is_not_keycloaks_answer_is_refused(recorded: RecordedKeycloak, body: bytes) -> None:
    recorded.faults = lambda request: (
        httpx.Response(200, content=body) if request.url.path.startswith("/admin") else None
    )
    with pytest.raises(KeycloakError, match=r"partial-export.*(JSON|no realm)"):
        await recorded.read()


@pytest.mark.parametrize(
    "odd", [None, 7, "text", [7], ["text"], [[]], [{}], {"a": 7}, {"a": [7]}, {"id": []}]
)
async def test_an_answer_of_another_shape_is_left_out_or_refused_in_one_line(
    recorded: RecordedKeycloak, odd: object
) -> None:
    """Nothing but KeycloakError, and the document's own check, ends a move."""
    export = recorded.partial_export
    for member in ("roles", "scopeMappings", "clientScopeMappings"):
        recorded.partial_export = {**export, member: odd}
        await _read_and_plan(recorded)
    recorded.partial_export = export
    known = dict(recorded.answers)
    for path in known:
        recorded.answers = {**known, path: odd}
        await _read_and_plan(recorded)
    recorded.answers = known
    clients = recorded.clients
    for member in ("id", "secret", "serviceAccountsEnabled", "fullScopeAllowed", "publicClient"):
        recorded.clients = [{**clients[0], member: odd}, *clients[1:]]
        await _read_and_plan(recorded)
    recorded.clients = clients
    mappings = {"realmMappings": odd, "clientMappings": odd}
    roles = [{"name": "r", "composite": True, "id": odd}, {"composite": True, "name": odd, "id": "x"}]
    for path in known:
        if path.endswith(("/scope-mappings", "/role-mappings")):
            recorded.answers = {**known, path: mappings}
            await _read_and_plan(recorded)
        if path.endswith("/roles"):
            recorded.answers = {**known, path: roles}
            await _read_and_plan(recorded)
        if path.endswith("/composites"):
            recorded.answers = {**known, path: [{"name": odd, "clientRole": True, "containerId": odd}]}
            await _read_and_plan(recorded)


async def _read_and_plan(recorded: RecordedKeycloak) -> None:
    with suppress(KeycloakError, InvalidRequestError):
        read_realm(await recorded.read())


async def test_an_answer_without_end_is_not_read_to_its_end(
    recorded: RecordedKeycloak, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    with pytest.raises(KeycloakError, match="longer than 1000 bytes"):
        await recorded.read()


async def test_a_client_that_is_deleted_meanwhile_is_left_out(recorded: RecordedKeycloak) -> None:
    orders = next(client for client in recorded.clients if client["clientId"] == "orders")
    del recorded.answers[f"clients/{orders['id']}/service-account-user"]
    exported = await recorded.read()
    assert sorted(client["clientId"] for client in exported["clients"]) == ["billing", "realm-management"]


async def test_a_client_that_is_there_without_what_it_has_is_an_error(recorded: RecordedKeycloak) -> None:
    orders = next(client for client in recorded.clients if client["clientId"] == "orders")
    del recorded.answers[f"clients/{orders['id']}/service-account-user"]
    recorded.answers[f"clients/{orders['id']}"] = orders
    with pytest.raises(KeycloakError, match=r"service-account-user: not found"):
        await recorded.read()


async def test_one_token_serves_all_calls_until_half_of_its_life_has_passed(
    recorded: RecordedKeycloak,
) -> None:
    """Callers at the same time wait for one renewal."""
    await recorded.read()
    assert recorded.tokens == 1
    recorded.asked.clear()
    recorded.tokens = 0
    passed = itertools.count(step=10)
    recorded.elapsed = lambda: float(next(passed))
    await recorded.read()
    calls = sum(not path.endswith("/token") for path in recorded.asked)
    assert calls // 4 <= recorded.tokens < calls
    assert recorded.refused == 0


async def test_a_realm_with_deep_groups_is_read(recorded: RecordedKeycloak) -> None:
    group: dict[str, object] = {"name": "lowest"}
    for _ in range(12):
        group = {"name": "upper", "subGroups": [group]}
    recorded.partial_export["groups"] = [group]
    assert (await recorded.read())["groups"] == [group]


async def test_groups_of_a_service_account_and_that_it_is_disabled_are_read(
    recorded: RecordedKeycloak,
) -> None:
    billing_id = next(client["id"] for client in recorded.clients if client["clientId"] == "billing")
    user = recorded.answers[f"clients/{billing_id}/service-account-user"]
    user["enabled"] = False
    recorded.answers[f"users/{user['id']}/groups"] = [{"id": "g", "name": "staff", "path": "/staff"}]
    exported = read_realm(await recorded.read())
    billing = next(client for client in exported.clients if client.client_id == "billing")
    assert billing.representation["serviceAccountsEnabled"] is False
    assert billing.notes[-2:] == (
        "its service account is disabled: serviceAccountsEnabled is set to false",
        "its service account is in groups: the roles of /staff are left out",
    )
