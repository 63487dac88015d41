"""A realm as Keycloak's users have them: clients of every kind that a machine uses, with roles and scopes."""

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from keyturn_shared.jose.signing import SigningKey
from tests.testkit.keycloak import RunningKeycloak

REALM: Final = "estate"
ROLES_OF: Final = "api"
"""The client whose roles others are given, so that it is the audience of their tokens."""
MIGRATION_CLIENT: Final = "keyturn-migration"
_RIGHTS: Final = ("manage-realm", "manage-clients", "view-users")
_SECONDS: Final = 300.0
_TOKEN_SECONDS: Final = 30.0
"""Half the life of an administrator's token."""
_THREADS: Final = 4
_SERVICE: Final = {"serviceAccountsEnabled": True, "publicClient": False, "standardFlowEnabled": False}
_REALM: Final = {
    "realm": REALM,
    "enabled": True,
    "accessTokenLifespan": 240,
    "roles": {"realm": [{"name": "operator"}, {"name": "auditor"}]},
}


@dataclass
class Estate:
    """``granted``: number of clients that get tokens; ``refused``: that have a credential and get none;
    ``without``: that have none. ``admin_secret``: of the client that may read the realm."""

    granted: int = 0
    refused: int = 0
    without: int = 0
    admin_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)


@dataclass(frozen=True)
class _Kind:
    """A kind of client: its outcome, and the members that it adds to one. It may write keys for it."""

    outcome: str
    members: Callable[[str, Path], dict[str, Any]]
    has_roles: bool = False


class _Admin:
    """Calls of Keycloak's admin API by several threads, with a token that is renewed in time."""

    def __init__(self, keycloak: RunningKeycloak) -> None:
        self._keycloak = keycloak
        self._lock = threading.Lock()
        self._token, self._good_until = "", 0.0
        self.http = httpx.Client(
            base_url=f"{keycloak.base_url}/admin/realms",
            timeout=_SECONDS,
            trust_env=False,
            auth=self._authorize,
        )

    def _authorize(self, request: httpx.Request) -> httpx.Request:
        with self._lock:
            if time.monotonic() > self._good_until:
                self._token = self._keycloak.token()
                self._good_until = time.monotonic() + _TOKEN_SECONDS
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def get(self, path: str, **query: str) -> Any:
        return self.http.get(path, params=query).raise_for_status().json()

    def post(self, path: str, body: Any) -> str:
        """Return the path of what was made."""
        made = self.http.post(path, json=body).raise_for_status()
        return str(made.headers.get("location", "")).partition("/admin/realms")[2]


def make_estate(keycloak: RunningKeycloak, clients: int, keys: Path) -> Estate:
    """Create a realm with that many clients, and a client that may read it. Their own keys go to ``keys``."""
    admin, estate, kinds = _Admin(keycloak), Estate(granted=1), list(_kinds())
    admin.post("", _REALM)
    secret = secrets.token_urlsafe(48)
    api = admin.post(f"/{REALM}/clients", {"clientId": ROLES_OF, "secret": secret, **_SERVICE})
    for name in ("read", "write"):
        admin.post(f"{api}/roles", {"name": name})
    auditor = admin.get(f"/{REALM}/roles/auditor")
    read, write = (admin.get(f"{api}/roles/{name}") for name in ("read", "write"))
    admin.post(f"/{REALM}/roles/auditor/composites", [read])

    def make(number: int) -> None:
        kind = kinds[number % len(kinds)]
        client_id = f"{kind.members.__name__.strip('_').replace('_', '-')}-{number}"
        members = {"clientId": client_id, "secret": secrets.token_urlsafe(48), **_SERVICE}
        made = admin.post(f"/{REALM}/clients", members | kind.members(client_id, keys))
        if kind.has_roles:
            account = f"/{REALM}/users/{admin.get(f'{made}/service-account-user')['id']}/role-mappings"
            admin.post(f"{account}/realm", [auditor])
            admin.post(f"{account}/clients/{write['containerId']}", [write])
            admin.post(f"{made}/scope-mappings/clients/{write['containerId']}", [read])

    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(make, range(clients - 1)):
            pass
    for number in range(clients - 1):
        outcome = kinds[number % len(kinds)].outcome
        setattr(estate, outcome, getattr(estate, outcome) + 1)
    _make_reader(admin, estate.admin_secret)
    admin.http.close()
    return estate


def _make_reader(admin: _Admin, secret: str) -> None:
    made = admin.post("/master/clients", {"clientId": MIGRATION_CLIENT, "secret": secret, **_SERVICE})
    account = admin.get(f"{made}/service-account-user")["id"]
    (owner,) = admin.get("/master/clients", clientId=f"{REALM}-realm")
    roles = [admin.get(f"/master/clients/{owner['id']}/roles/{name}") for name in _RIGHTS]
    admin.post(f"/master/users/{account}/role-mappings/clients/{owner['id']}", roles)


def _kinds() -> Iterator[_Kind]:
    yield _Kind("granted", _secret)
    yield _Kind("granted", _basic)
    yield _Kind("granted", _roles, has_roles=True)
    yield _Kind("granted", _limited_roles, has_roles=True)
    yield _Kind("granted", _secret_jwt)
    yield _Kind("granted", _key_set)
    yield _Kind("granted", _kid)
    yield _Kind("granted", _lifespan)
    yield _Kind("granted", _es256)
    yield _Kind("granted", _web)
    yield _Kind("granted", _scopes)
    yield _Kind("refused", _disabled)
    yield _Kind("refused", _no_account)
    yield _Kind("without", _public)


def _secret(client_id: str, keys: Path) -> dict[str, Any]:
    return {}


def _basic(client_id: str, keys: Path) -> dict[str, Any]:
    return {"attributes": {"client.secret.authentication.allowed.method": "client_secret_basic"}}


def _roles(client_id: str, keys: Path) -> dict[str, Any]:
    return {}


def _limited_roles(client_id: str, keys: Path) -> dict[str, Any]:
    return {"fullScopeAllowed": False}


def _secret_jwt(client_id: str, keys: Path) -> dict[str, Any]:
    return {
        "clientAuthenticatorType": "client-secret-jwt",
        "attributes": {"token.endpoint.auth.signing.alg": "HS256"},
    }


def _key_set(client_id: str, keys: Path) -> dict[str, Any]:
    return _with_key(client_id, keys, SigningKey.generate("ES256"))


def _kid(client_id: str, keys: Path) -> dict[str, Any]:
    return _with_key(client_id, keys, SigningKey.generate("ES384", kid=f"key-of-{client_id}"))


def _with_key(client_id: str, keys: Path, key: SigningKey) -> dict[str, Any]:
    (keys / f"{client_id}.jwk").write_bytes(key.export_private_jwk())
    return {
        "clientAuthenticatorType": "client-jwt",
        "attributes": {
            "use.jwks.string": "true",
            "jwks.string": json.dumps({"keys": [key.public_jwk]}),
            "token.endpoint.auth.signing.alg": key.algorithm,
        },
    }


def _lifespan(client_id: str, keys: Path) -> dict[str, Any]:
    return {"attributes": {"access.token.lifespan": "90"}}


def _es256(client_id: str, keys: Path) -> dict[str, Any]:
    return {"attributes": {"access.token.signed.response.alg": "ES256"}}


def _web(client_id: str, keys: Path) -> dict[str, Any]:
    return {
        "standardFlowEnabled": True,
        "redirectUris": ["https://app.example.com/*"],
        "webOrigins": ["https://app.example.com"],
    }


def _scopes(client_id: str, keys: Path) -> dict[str, Any]:
    return {"defaultClientScopes": ["basic", "roles"], "optionalClientScopes": ["email"]}


def _disabled(client_id: str, keys: Path) -> dict[str, Any]:
    return {"enabled": False}


def _no_account(client_id: str, keys: Path) -> dict[str, Any]:
    return {"serviceAccountsEnabled": False}


def _public(client_id: str, keys: Path) -> dict[str, Any]:
    return {"publicClient": True, "serviceAccountsEnabled": False, "standardFlowEnabled": True}
