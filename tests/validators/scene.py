"""A node with realms that came from Keycloak and new ones, and tokens that validators accept or refuse."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis

from keyturn_shared.jose import base64url
from keyturn_verifier.web.protocol import HttpProtocol
from tests.testkit.admin_api import AdminApi, running, settings_for
from tests.testkit.filled_redis import FLEET_KEY
from tests.testkit.nodes import RunningNode, eventually, running_node
from tests.testkit.served import listen, served, url_of

AUDIENCE: Final = "orders-api"
"""The resource server, and the client as which it introspects."""
CLIENT: Final = "worker"
ROLES: Final = ["bookkeeping", "default-roles-legacy", "offline_access", "payments", "uma_authorization"]
"""The realm roles of ``CLIENT``; it has ``read`` of ``AUDIENCE`` as well."""

_RFC9068: Final = {"attributes": {"access.token.header.type.rfc9068": "true"}}
_JWT: Final = {"attributes": {"access.token.header.type.rfc9068": "false"}}
_RS256: Final = {"defaultSignatureAlgorithm": "RS256"}
MIGRATED: Final[dict[str, dict[str, Any]]] = {"legacy": {}, "legacy-rfc9068": _RFC9068}
"""Realms from an export of Keycloak's, with what is changed in it."""
NEW: Final[dict[str, dict[str, Any]]] = {
    "new": {},
    "new-jwt": _JWT,
    "new-rs256": _RS256,
    "new-both": _JWT | _RS256,
}
"""New realms, with their settings."""
_ELSEWHERE: Final[dict[str, dict[str, Any]]] = {"elsewhere": {}, "elsewhere-jwt": _JWT}
_FOREIGN: Final = {
    "legacy": "new-both",
    "legacy-rfc9068": "new-rs256",
    "new": "elsewhere",
    "new-jwt": "elsewhere-jwt",
    "new-rs256": "legacy-rfc9068",
    "new-both": "legacy",
}
"""Another realm whose tokens have the same type and algorithm."""

_WAIT: Final = {"Prefer": "wait=30"}
_EXPIRED_SINCE_SECONDS: Final = 3600.0
_EXPORT: Final = Path(__file__).with_name("export.json")


@dataclass(frozen=True)
class Tokens:
    """Access tokens of ``CLIENT``. ``foreign``: of another realm of the same server. ``altered``: with one
    more role, under the same signature."""

    good: str
    expired: str
    foreign: str
    altered: str


@dataclass(frozen=True)
class Case:
    """The configuration of a validator, and the tokens that it is sent."""

    realm: str
    issuer: str
    server_url: str
    audience: str
    secret: str
    tokens: Tokens

    @property
    def jwks_uri(self) -> str:
        return f"{self.issuer}/protocol/openid-connect/certs"

    @property
    def introspection_endpoint(self) -> str:
        return f"{self.issuer}/protocol/openid-connect/token/introspect"

    def for_programs(self) -> dict[str, Any]:
        """Return the case for a program in another language."""
        endpoints = {"jwks_uri": self.jwks_uri, "introspection_endpoint": self.introspection_endpoint}
        return asdict(self) | endpoints


@asynccontextmanager
async def validator_scene(directory: Path, redis: Redis, redis_url: str) -> AsyncIterator[dict[str, Case]]:
    """Yield the cases by the realm's name."""
    with listen() as listening:
        url = url_of(listening)
        database = f"sqlite+aiosqlite:///{directory}/keyturn.db"
        settings = settings_for(database, redis_url, fleet_keys=FLEET_KEY, public_url=url)
        async with (
            running(settings) as api,
            running_node(redis_url, public_url=url, wait=False, credentials=api.app) as node,
            served(node.app, HttpProtocol, listening=listening),
        ):
            await eventually(node.ready)
            await _make_realms(api)
            yield await _cases(node, url)


@cache
def export() -> dict[str, Any]:
    """Return a realm as Keycloak exports it."""
    read: dict[str, Any] = json.loads(_EXPORT.read_text())
    return read


async def _make_realms(api: AdminApi) -> None:
    """Create them one by one; the last answer waits until the node has everything."""
    for name, changes in MIGRATED.items():
        # Ids of the first one are taken.
        document = export() | {"realm": name} | changes
        made = await api.call("POST", "", json=document, headers=_WAIT)
        assert made.status_code == 201, made.text
    for name, settings in (NEW | _ELSEWHERE).items():
        made = await api.call("POST", "", json={"realm": name} | settings)
        assert made.status_code == 201, made.text
        filled = await api.call("POST", f"/{name}/partialImport", json=export(), headers=_WAIT)
        assert filled.status_code == 200, filled.text


async def _cases(node: RunningNode, url: str) -> dict[str, Case]:
    good = {realm: await _token(node, realm) for realm in (*MIGRATED, *NEW, *_ELSEWHERE)}
    node.clock.ahead = -_EXPIRED_SINCE_SECONDS
    expired = {realm: await _token(node, realm) for realm in (*MIGRATED, *NEW)}
    node.clock.ahead = 0.0
    return {
        realm: Case(
            realm,
            f"{url}/realms/{realm}",
            url,
            AUDIENCE,
            _secret_of(AUDIENCE),
            Tokens(good[realm], expired[realm], good[_FOREIGN[realm]], _altered(good[realm])),
        )
        for realm in (*MIGRATED, *NEW)
    }


async def _token(node: RunningNode, realm: str) -> str:
    answer = await node.token_by_secret(realm, CLIENT, _secret_of(CLIENT))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def _secret_of(client_id: str) -> str:
    return next(str(each["secret"]) for each in export()["clients"] if each["clientId"] == client_id)


def _altered(token: str) -> str:
    header, payload, signature = token.split(".")
    claims = json.loads(base64url.decode_text(payload))
    claims["realm_access"]["roles"].append("admin")
    return ".".join((header, base64url.encode_text(json.dumps(claims).encode()), signature))
