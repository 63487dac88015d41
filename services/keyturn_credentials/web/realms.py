"""``/admin/realms``."""

from typing import Final
from urllib.parse import quote

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain import realm_keys
from keyturn_credentials.domain.realm import RealmKey
from keyturn_credentials.domain.representation import describe_realm
from keyturn_credentials.domain.roles import Role
from keyturn_credentials.errors import ForbiddenError
from keyturn_credentials.operations.realm_import import RealmImportOperations
from keyturn_credentials.operations.realms import RealmOperations
from keyturn_credentials.operations.recording import require_realm
from keyturn_credentials.store.transaction import Store
from keyturn_credentials.web.bodies import read_json
from keyturn_credentials.web.gate import Call, Endpoint, Gate, entity_tag

ANY_ROLE: Final = tuple(Role)
MANAGE_REALM: Final = (Role.MANAGE_REALM,)


class RealmRoutes:
    """Handlers of Keycloak's RealmsAdminResource and RealmAdminResource."""

    def __init__(
        self, store: Store, operations: RealmOperations, imports: RealmImportOperations, base_url: str
    ) -> None:
        self._store = store
        self._operations = operations
        self._imports = imports
        self._base_url = base_url

    def routes(self, gate: Gate) -> list[BaseRoute]:
        path = "/admin/realms/{realm}"
        return [
            gate.route(
                "/admin/realms",
                {"GET": Endpoint(self.list, ANY_ROLE), "POST": Endpoint(self.create, (Role.CREATE_REALM,))},
            ),
            gate.route(
                path,
                {
                    "GET": Endpoint(self.get, ANY_ROLE),
                    "PUT": Endpoint(self.update, MANAGE_REALM),
                    "DELETE": Endpoint(self.delete, MANAGE_REALM),
                },
            ),
            gate.route(f"{path}/keys", {"GET": Endpoint(self.keys, ANY_ROLE)}),
            gate.route(f"{path}/keys/rotate", {"POST": Endpoint(self.rotate_keys, MANAGE_REALM)}),
            gate.route(f"{path}/clear-keys-cache", {"POST": Endpoint(self.clear_keys_cache, MANAGE_REALM)}),
        ]

    async def list(self, call: Call) -> Response:
        """The realms the caller has any role for."""
        async with self._store.read() as reading:
            realms = await reading.realms.all()
        return JSONResponse(
            [
                describe_realm(realm)
                for realm in realms
                if any(call.principal.may(role, realm.name) for role in Role)
            ]
        )

    async def create(self, call: Call) -> Response:
        if not call.principal.may(Role.CREATE_REALM, "master"):
            raise ForbiddenError("HTTP 403 Forbidden")
        done = await self._imports.create(call.actor, await read_json(call.request))
        call.changed(done)
        location = f"{self._base_url}/admin/realms/{quote(done.value.name)}"
        return Response(
            status_code=201, headers={"Location": location, "ETag": entity_tag(done.value.version)}
        )

    async def get(self, call: Call) -> Response:
        async with self._store.find() as reading:
            realm = require_realm(await reading.realms.get(call.realm))
        return JSONResponse(describe_realm(realm), headers={"ETag": entity_tag(realm.version)})

    async def update(self, call: Call) -> Response:
        representation = await read_json(call.request)
        done = await self._operations.update(
            call.actor, call.realm, representation, expected=call.expected_versions
        )
        call.changed(done)
        return Response(status_code=204, headers={"ETag": entity_tag(done.value.version)})

    async def delete(self, call: Call) -> Response:
        call.changed(await self._operations.delete(call.actor, call.realm, expected=call.expected_versions))
        return Response(status_code=204)

    async def keys(self, call: Call) -> Response:
        """The signing keys, as Keycloak's KeysMetadataRepresentation as far as it goes. When they move on:
        ``rotatesAt``, and ``endsAt`` of a retiring one."""
        async with self._store.find() as reading:
            realm = require_realm(await reading.realms.get(call.realm))
            keys = await reading.realms.keys(realm.id)
        active = {key.alg: key.kid for key in keys if key.state.value == "active"}
        shown = [{**_describe_key(key), "endsAt": realm_keys.ends_at(realm, key)} for key in keys]
        return JSONResponse(
            {"active": active, "keys": shown, "rotatesAt": realm_keys.rotates_at(realm, keys)}
        )

    async def rotate_keys(self, call: Call) -> Response:
        """With ``?revoke=true`` the present keys are not left to verify what they signed."""
        revoke = (call.query("revoke") or "").lower() == "true"
        call.changed(
            await self._operations.rotate_keys(
                call.actor, call.realm, revoke=revoke, expected=call.expected_versions
            )
        )
        return Response(status_code=204)

    async def clear_keys_cache(self, call: Call) -> Response:
        call.changed(
            await self._operations.clear_keys_cache(call.actor, call.realm, expected=call.expected_versions)
        )
        return Response(status_code=204)


def _describe_key(key: RealmKey) -> dict[str, object]:
    return {
        "kid": key.kid,
        "algorithm": key.alg,
        "type": key.public_jwk["kty"],
        "use": "SIG",
        "status": "PASSIVE" if key.state.value == "retiring" else "ACTIVE",
        "state": key.state.value,
        "createdAt": int(key.created_at),
        "stateSince": int(key.state_since),
        "publicJwk": dict(key.public_jwk),
    }
