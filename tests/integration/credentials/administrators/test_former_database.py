"""A database of a build with one kind of signing keys, and with administrators' secrets in projections."""

import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from redis.asyncio import Redis
from sqlalchemy import Connection, text

from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store import migrate
from keyturn_credentials.store.database import Database
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import client_field, realm_field
from keyturn_shared.sealing import KeyRing
from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET, BASE_URL, running, settings_for
from tests.testkit.administrators import Scene, by_basic
from tests.testkit.filled_redis import FLEET_KEY
from tests.testkit.nodes import assertion_claims, eventually, running_node

FLEET = KeyRing.from_text(FLEET_KEY, purpose="fleet")
TENANTS = "the secret of the tenant's administrator"
WORKERS = "the secret of a worker"
NOT_BEFORE = 2_000_000_000
"""Stored by a build that ignored it."""


class Former:
    """Writes what the former build wrote: realms ``master`` and ``acme``, with their keys and clients."""

    def __init__(self, settings: CredentialsSettings) -> None:
        self.encryption = settings.encryption_ring()
        self.keys = {realm: [SigningKey.generate() for _ in range(2)] for realm in ("master", "acme")}
        self.sequence = 0

    def write(self, connection: Connection) -> None:
        self._connection = connection
        for name in self.keys:
            self._realm(name)
        self._client("master", ADMIN_ID, ADMIN_SECRET, {"keyturn.admin.roles": "admin"})
        self._client("acme", "tenant", TENANTS, {"keyturn.admin.roles": "manage-clients"})
        self._client("acme", "worker", WORKERS, {})
        self._client("acme", "ended", WORKERS, {}, {"notBefore": NOT_BEFORE})
        self._run("UPDATE event_counter SET value = :value", value=self.sequence)

    def _run(self, statement: str, **values: Any) -> None:
        self._connection.execute(text(statement), values)

    def _insert(self, table: str, **values: Any) -> None:
        names = ", ".join(values)
        binds = ", ".join(f":{name}" for name in values)
        self._run(f"INSERT INTO {table} ({names}) VALUES ({binds})", **values)

    def _realm(self, name: str) -> None:
        common = {"enabled": True, "attributes": "{}", "document": "{}", "keys_not_before": 0, "version": 1}
        self._insert("realms", id=name, name=name, **common)
        projected = []
        for key, state in zip(self.keys[name], ("active", "next"), strict=True):
            private, context = key.export_private_jwk(), f"signing-key:{key.kid}"
            self._insert(
                "realm_keys",
                kid=key.kid,
                realm_id=name,
                alg="ES256",
                state=state,
                public_jwk=json.dumps(key.public_jwk),
                certificate="",
                sealed_private_jwk=self.encryption.seal(private, context),
                created_at=time.time(),
                state_since=time.time(),
            )
            projected.append(
                {
                    "kid": key.kid,
                    "alg": "ES256",
                    "state": state,
                    "public_jwk": key.public_jwk,
                    "sealed_private_jwk": FLEET.seal(private, context),
                }
            )
        body = {"id": name, "name": name, "signing_keys": projected}
        self._project(realm_field(name), body, "realm_created", name)

    def _client(
        self,
        realm: str,
        client_id: str,
        secret: str,
        attributes: dict[str, str],
        document: dict[str, Any] | None = None,
    ) -> None:
        identifier = str(uuid.uuid4())
        context = f"client-secret:{identifier}"
        digest, sealed = FLEET.digest(secret, context), self.encryption.seal(secret.encode(), context)
        kept = {"digest": digest, "created_at": time.time(), "expires_at": None, "sealed": sealed}
        self._insert(
            "clients",
            uuid=identifier,
            realm_id=realm,
            client_id=client_id,
            enabled=True,
            authenticator="client-secret",
            attributes=json.dumps(attributes),
            document=json.dumps(document or {}),
            secrets=json.dumps({"current": kept}),
            revoked_keys="{}",
            keys_not_before=0,
            version=1,
            seal_keys=" ".join(sorted({FLEET.current_key_id, self.encryption.current_key_id})),
        )
        self._insert("client_names", realm_id=realm, client_id=client_id)
        body = {
            "uuid": identifier,
            "realm_id": realm,
            "client_id": client_id,
            "secrets": [{"digest": digest}],
        }
        self._project(client_field(realm, client_id), body, "client_created", realm)

    def _project(self, field: str, body: dict[str, Any], kind: str, realm: str) -> None:
        self.sequence += 1
        self._insert("projections", field=field, sequence=self.sequence, body=json.dumps(body).encode())
        event = {"type": kind, "sequence": self.sequence, "id": "1", "occurred_at": time.time()}
        event |= {"touches": [field], "realm_id": realm, "realm": realm, "client_uuid": "1", "client_id": "1"}
        self._insert(
            "events",
            sequence=self.sequence,
            id=str(uuid.uuid4()),
            type=kind,
            realm_id=realm,
            client_uuid=None,
            payload=json.dumps(event).encode(),
            touches=json.dumps([field]),
            occurred_at=time.time(),
        )


@pytest.fixture
def settings(tmp_path: Path, redis_url: str) -> CredentialsSettings:
    return settings_for(f"sqlite+aiosqlite:///{tmp_path}/keyturn.db", redis_url, fleet_keys=FLEET_KEY)


@pytest.fixture
async def former(settings: CredentialsSettings) -> Former:
    """The former build's database."""
    written = Former(settings)

    def make(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
        written.write(connection)

    database = Database(settings.database_url)
    async with database.migrating() as connection:
        await connection.run_sync(make)
    await database.close()
    return written


@asynccontextmanager
async def upgraded(settings: CredentialsSettings, redis: Redis, redis_url: str) -> AsyncIterator[Scene]:
    async with (
        running(settings) as api,
        running_node(redis_url, public_url=BASE_URL, wait=False, credentials=api.app) as node,
    ):
        await eventually(node.ready)
        yield Scene(api, node, redis)


def forged(key: SigningKey, realm: str, client_id: str) -> str:
    issuer = f"{BASE_URL}/realms/{realm}"
    claims = assertion_claims(client_id, realm, iss=issuer, aud=issuer) | {"client_id": client_id}
    return key.sign_compact(key.header_segment("at+jwt"), claims)


async def test_the_keys_that_nodes_had_are_worthless_and_everybody_still_gets_a_token(
    former: Former, settings: CredentialsSettings, redis: Redis, redis_url: str
) -> None:
    async with upgraded(settings, redis, redis_url) as scene:
        for realm, client_id in (("master", ADMIN_ID), ("acme", "tenant")):
            for key in former.keys[realm]:
                assert await scene.status_of(forged(key, realm, client_id), "/admin/realms") == 401
        for realm, client_id, secret in (
            ("master", ADMIN_ID, ADMIN_SECRET),
            ("acme", "tenant", TENANTS),
            ("acme", "worker", WORKERS),
        ):
            answer = await scene.token_from_node(realm, {}, by_basic(client_id, secret))
            assert answer.status_code == 200, (client_id, answer.text)
            status = await scene.status_of(answer.json()["access_token"])
            assert status == (401 if client_id == "worker" else 200), client_id
        shown = (await scene.api.call("GET", "/master/keys")).json()["keys"]
        assert {key["purpose"] for key in shown} == {"administrators"}
        assert {key["kid"] for key in shown}.isdisjoint(key.kid for key in former.keys["master"])


async def test_nodes_are_told_anew_and_only_once(
    former: Former, settings: CredentialsSettings, redis: Redis, redis_url: str
) -> None:
    async def told() -> dict[str, Any]:
        database = Database(settings.database_url)
        async with database.reading() as connection:
            rows = (await connection.execute(text("SELECT field, body FROM projections"))).all()
            head = (await connection.execute(text("SELECT value FROM event_counter"))).scalar_one()
        await database.close()
        return {**{row.field: json.loads(row.body) for row in rows}, "head": head}

    async with upgraded(settings, redis, redis_url):
        first = await told()
    assert all("sealed_private_jwk" not in key or key["sealed_private_jwk"] is None
               for key in first["realm:master"]["signing_keys"])  # fmt: skip
    assert first["realm:master"]["administers"]
    for field in (client_field("master", ADMIN_ID), client_field("acme", "tenant")):
        assert first[field]["administers"]
        assert not first[field].get("secrets")
    worker = first[client_field("acme", "worker")]
    assert "administers" not in worker
    assert len(worker["secrets"]) == 1
    async with upgraded(settings, redis, redis_url):
        assert (await told())["head"] == first["head"], "a restart has nothing left to do"


async def test_tokens_and_used_assertions_are_known_after_a_restart(
    former: Former, settings: CredentialsSettings, redis: Redis, redis_url: str
) -> None:
    async with upgraded(settings, redis, redis_url) as scene:
        token = (await scene.token_from_node("acme", {}, by_basic("tenant", TENANTS))).json()["access_token"]
    async with upgraded(settings, redis, redis_url) as scene:
        assert await scene.status_of(token) == 200


async def test_what_was_stored_without_effect_comes_into_force_at_running_nodes(
    former: Former, settings: CredentialsSettings, redis: Redis, redis_url: str
) -> None:
    async with upgraded(settings, redis, redis_url) as scene:

        async def is_in_force() -> bool:
            answer = await scene.token_from_node("acme", {}, by_basic("ended", WORKERS))
            return bool(answer.json()["not-before-policy"] == NOT_BEFORE)

        await eventually(is_in_force)
