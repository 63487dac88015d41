"""Settings that an earlier build stored without effect take effect after an upgrade, or are reported."""

import json
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from keyturn_credentials.domain.projection_builder import PROJECTION_REVISION
from keyturn_credentials.operations.role_targets import RoleTarget
from keyturn_credentials.operations.targets import RealmTarget
from keyturn_shared.projection import (
    ClientProjection,
    RealmProjection,
    RoleSet,
    client_field,
    decode_client,
    decode_realm,
    projection_value,
    realm_field,
)
from tests.conformance.store.conftest import ACTOR, Instance
from tests.testkit.stored_projections import stored_projections

NOT_BEFORE = 1_900_000_000
MEMBERS = {
    6: (
        "RealmProjection id name enabled signing_keys access_token_lifespan jwks_allowed_networks"
        " keys_not_before strict_audience administers not_before token_generation open_introspection"
        " fetcher_keys strict_assertion_lifetime plain_token_type default_scopes"
        " optional_scopes silent_scopes removed_scopes"
        " realm_roles client_roles scope_mappings ends_tokens_by_role roles_by_id client_scope_roles"
        " trusted_issuers scope_mappers"
        " ClientProjection uuid realm_id client_id enabled authenticator"
        " service_accounts_enabled secrets secret_transport signing_alg max_assertion_lifetime jwks"
        " jwks_source jwks_url revoked_thumbprints keys_not_before access_token_lifespan scopes"
        " default_scopes audiences x509_subject_dn x509_subject_dn_is_pattern x509_issuer_dn x509_san_dns"
        " x509_san_uri x509_san_ip x509_san_email x509_self_signed mtls_bound_tokens dpop_bound_tokens"
        " administers not_before token_generation resource_audiences plain_token_type access_token_alg"
        " revoked_tokens subject roles full_scope role_ids federated"
        " mappers allowed_origins lightweight_tokens"
    )
}


async def make(instance: Instance, client_ids: list[str]) -> str:
    """Create realm ``acme`` with these clients; return its id."""
    realm = (await instance.operations.realms.create(ACTOR, {"realm": "acme"})).value
    for client_id in client_ids:
        body = {"clientId": client_id, "clientAuthenticatorType": "client-secret-jwt"}
        await instance.operations.clients.create(ACTOR, "acme", body)
    return realm.id


async def store_as_a_former_build(
    instance: Instance,
    table: str,
    name: str,
    *,
    document: dict[str, Any] | None = None,
    attributes: dict[str, str] | None = None,
    service_account: dict[str, Any] | None = None,
) -> None:
    """Store members without updating the projections."""
    column = "name" if table == "realms" else "client_id"
    value = "CAST(:value AS json)" if instance.database.is_postgresql else ":value"
    async with instance.database.migrating() as connection:
        members = {"document": document, "attributes": attributes, "service_account": service_account}
        for member, content in members.items():
            if content is not None:
                # Only names from this file, no input.
                statement = f"UPDATE {table} SET {member} = {value} WHERE {column} = :name"
                await connection.execute(text(statement), {"value": json.dumps(content), "name": name})
        await connection.execute(text("UPDATE realms SET projection_revision = 0"))


async def told_of_client(instance: Instance, realm_id: str, client_id: str) -> tuple[int, ClientProjection]:
    field = client_field(realm_id, client_id)
    sequence, body = (await stored_projections(instance.database, [field]))[field]
    assert body is not None
    return sequence, decode_client(projection_value(0, body))[1]


async def told_of_realm(instance: Instance, name: str) -> RealmProjection:
    field = realm_field(name)
    _, body = (await stored_projections(instance.database, [field]))[field]
    assert body is not None
    return decode_realm(projection_value(0, body))[1]


async def test_stored_members_are_told_to_the_nodes_and_only_what_differs(instance: Instance) -> None:
    realm_id = await make(instance, ["ended", "other"])
    await store_as_a_former_build(
        instance,
        "clients",
        "ended",
        document={"notBefore": NOT_BEFORE},
        attributes={"access.token.header.type.rfc9068": "false"},
    )
    before, _ = await told_of_client(instance, realm_id, "other")
    assert await instance.operations.reprojection.run() == 1
    sequence, told = await told_of_client(instance, realm_id, "ended")
    assert (told.not_before, told.plain_token_type) == (NOT_BEFORE, True)
    assert told.secrets[0].sealed is not None
    assert sequence == instance.committed[-1] > before
    assert (await told_of_client(instance, realm_id, "other"))[0] == before


async def test_a_realm_is_told_of_as_well(instance: Instance) -> None:
    await make(instance, [])
    await store_as_a_former_build(instance, "realms", "acme", document={"notBefore": NOT_BEFORE})
    assert await instance.operations.reprojection.run() == 1
    assert (await told_of_realm(instance, "acme")).not_before == NOT_BEFORE


async def test_roles_given_by_name_are_referred_to_by_their_ids(instance: Instance) -> None:
    """Otherwise one that is created again under the name of a deleted one would be given to the client."""
    realm_id = await make(instance, ["worker"])
    roles = {"roles": {"realm": [{"name": "all"}], "client": {"orders": [{"name": "read", "id": "id-read"}]}}}
    await store_as_a_former_build(instance, "realms", "acme", document=roles)
    given = {"realmRoles": ["all", "unknown"], "clientRoles": {"orders": ["read"]}}
    await store_as_a_former_build(instance, "clients", "worker", service_account=given)
    await instance.operations.reprojection.run()
    by_id = (await told_of_realm(instance, "acme")).roles_by_id
    _, told = await told_of_client(instance, realm_id, "worker")
    assert told.role_ids is not None
    assert {by_id[each] for each in told.role_ids} == {(None, "all"), ("orders", "read")}
    assert told.roles == RoleSet(("all",), {"orders": ("read",)})
    target = RoleTarget(RealmTarget(ACTOR, "acme"), is_of_client=False, name="all")
    await instance.operations.roles.delete(target)
    await instance.operations.roles.create(target.realm, None, {"name": "all"})
    by_id = (await told_of_realm(instance, "acme")).roles_by_id
    assert [by_id[each] for each in told.role_ids if each in by_id] == [("orders", "read")]


async def test_an_upgrade_is_done_once_for_all_instances(instance: Instance, other: Instance) -> None:
    await make(instance, ["ended"])
    assert await instance.operations.reprojection.run() == 0, "a realm of this build has nothing left to do"
    await store_as_a_former_build(instance, "clients", "ended", document={"notBefore": NOT_BEFORE})
    assert await instance.operations.reprojection.run() == 1
    head = instance.committed[-1]
    with capture_logs() as logs:
        assert await other.operations.reprojection.run() == 0
    assert not logs
    assert (await instance.operations.clients.create(ACTOR, "acme", {"clientId": "new"})).sequence == head + 1


async def test_many_clients_are_told_of_in_batches(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyturn_credentials.operations.reprojection._BATCH", 2)
    names = [f"client-{number}" for number in range(5)]
    realm_id = await make(instance, names)
    for name in names:
        await store_as_a_former_build(instance, "clients", name, document={"notBefore": NOT_BEFORE})
    events = len(instance.committed)
    assert await instance.operations.reprojection.run() == 5
    assert len(instance.committed) == events + 3
    for name in names:
        assert (await told_of_client(instance, realm_id, name))[1].not_before == NOT_BEFORE


async def test_a_stored_algorithm_of_the_realm_is_its_next_keys(instance: Instance) -> None:
    await make(instance, [])
    await store_as_a_former_build(instance, "realms", "acme", document={"defaultSignatureAlgorithm": "ES384"})
    await instance.operations.maintenance.rotate_due_keys()
    signing_keys = (await told_of_realm(instance, "acme")).signing_keys
    assert {key.alg for key in signing_keys if key.state == "next"} == {"ES384"}


async def test_what_is_not_in_force_is_named_with_its_client(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyturn_credentials.operations.reprojection._NAMED", 2)
    await make(instance, ["a", "b", "c", "fine"])
    await store_as_a_former_build(instance, "clients", "a", document={"enable": False, "notBefore": "now"})
    await store_as_a_former_build(
        instance, "clients", "b", attributes={"access.token.signed.response.alg": "ES512"}
    )
    own = {"name": "own", "protocolMapper": "script-own.js"}
    await store_as_a_former_build(instance, "clients", "c", document={"protocolMappers": [own]})
    await store_as_a_former_build(instance, "realms", "acme", document={"sslRequired": "all"})
    with capture_logs() as logs:
        await instance.operations.reprojection.run()
    named = [entry for entry in logs if entry["event"] == "stored_members_not_in_force"]
    assert [(entry["realm"], entry.get("client_id")) for entry in named] == [
        ("acme", None),
        ("acme", "a"),
        ("acme", "b"),
    ]
    assert "sslRequired" in named[0]["reasons"][0]
    assert [reason.split()[0] for reason in named[1]["reasons"]] == ["enable", "notBefore"]
    assert named[2]["reasons"] == [
        "attribute access.token.signed.response.alg: it gets no tokens, the realm signs with ES256"
    ]
    assert [entry["clients"] for entry in logs if entry["event"].startswith("more_stored")] == [1]


async def test_a_client_that_cannot_be_projected_is_named_and_holds_up_nobody(instance: Instance) -> None:
    realm_id = await make(instance, ["broken", "ended"])
    transport = {"client.secret.authentication.allowed.method": "by-pigeon"}
    await store_as_a_former_build(instance, "clients", "broken", attributes=transport)
    await store_as_a_former_build(instance, "clients", "ended", document={"notBefore": NOT_BEFORE})
    with capture_logs() as logs:
        assert await instance.operations.reprojection.run() == 1
    assert [entry.get("client_id") for entry in logs if entry["log_level"] == "warning"] == ["broken"]
    assert (await told_of_client(instance, realm_id, "ended"))[1].not_before == NOT_BEFORE


def test_members_that_projections_gain_need_a_new_revision() -> None:
    """Otherwise an upgraded database would withhold its stored settings from the nodes."""
    kinds = (RealmProjection, ClientProjection)
    members = " ".join(" ".join((kind.__name__, *kind.__struct_fields__)) for kind in kinds)
    assert {PROJECTION_REVISION: members} == MEMBERS
