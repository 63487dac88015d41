"""``/admin/realms``."""

from typing import Final
from urllib.parse import quote

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain import realm_keys
from keyturn_credentials.domain.realm import KeyPurpose, KeyState, RealmKey
from keyturn_credentials.domain.representation import describe_realm, describe_realm_briefly
from keyturn_credentials.domain.roles import Role
from keyturn_credentials.http.bodies import read_export, read_json
from keyturn_credentials.operations.import_report import ImportReport, describe_report
from keyturn_credentials.operations.realm_import import RealmImportOperations
from keyturn_credentials.operations.realms import RealmOperations
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.web.gate import Call, Endpoint, Gate, entity_tag
from keyturn_credentials.web.notices import NOTICE

ANY_ROLE: Final = tuple(Role)
MANAGE_REALM: Final = (Role.MANAGE_REALM,)


class RealmRoutes:
    """Handlers of Keycloak's RealmsAdminResource and RealmAdminResource."""

    def __init__(
        self, queries: Queries, operations: RealmOperations, imports: RealmImportOperations, base_url: str
    ) -> None:
        self._queries = queries
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
        """Return the realms in which the caller has any role."""
        realms = await self._queries.realms()
        describe = describe_realm_briefly if call.is_true("briefRepresentation") else describe_realm
        return JSONResponse(
            [
                describe(realm)
                for realm in realms
                if any(call.principal.may(role, realm.name) for role in Role)
            ]
        )

    async def create(self, call: Call) -> Response:
        """Create a realm. A body with clients is an import; its report is the response body only with
        ``?report=true``, because Keycloak's clients expect none."""
        done, report = await self._imports.create(call.actor, await read_export(call.request))
        call.changed(done)
        location = f"{self._base_url}/admin/realms/{quote(done.value.name)}"
        headers = {"Location": location, "ETag": entity_tag(done.value.version)}
        if report is None:
            return Response(status_code=201, headers=headers)
        if call.is_true("report"):
            return JSONResponse(describe_report(report), 201, headers)
        return Response(status_code=201, headers=headers | _notice_of(report))

    async def get(self, call: Call) -> Response:
        realm = await self._queries.realm(call.realm)
        return JSONResponse(describe_realm(realm), headers={"ETag": entity_tag(realm.version)})

    async def update(self, call: Call) -> Response:
        representation = await read_json(call.request)
        done = await self._operations.update(call.realm_target, representation)
        call.changed(done)
        return Response(status_code=204, headers={"ETag": entity_tag(done.value.version)})

    async def delete(self, call: Call) -> Response:
        call.changed(await self._operations.delete(call.realm_target))
        return Response(status_code=204)

    async def keys(self, call: Call) -> Response:
        """Return the signing keys in Keycloak's KeysMetadataRepresentation, with ``purpose`` (whose tokens
        they sign), ``rotatesAt``, and ``endsAt`` of a retiring one."""
        realm, keys = await self._queries.realm_with_keys(call.realm)
        # Those for clients come last: a reader unaware of the others finds them.
        keys = sorted(keys, key=lambda key: key.purpose is KeyPurpose.CLIENTS)
        active = {key.alg: key.kid for key in keys if key.state is KeyState.ACTIVE}
        shown = [{**_describe_key(key), "endsAt": realm_keys.ends_at(realm, key)} for key in keys]
        return JSONResponse(
            {"active": active, "keys": shown, "rotatesAt": realm_keys.rotates_at(realm, keys)}
        )

    async def rotate_keys(self, call: Call) -> Response:
        """Rotate the keys. With ``?revoke=true`` the current keys no longer verify what they signed."""
        revoke = call.is_true("revoke")
        call.changed(await self._operations.rotate_keys(call.realm_target, revoke=revoke))
        return Response(status_code=204)

    async def clear_keys_cache(self, call: Call) -> Response:
        call.changed(await self._operations.clear_keys_cache(call.realm_target))
        return Response(status_code=204)


def _notice_of(report: ImportReport) -> dict[str, str]:
    noted = sum(bool(client.notes) for client in report.clients)
    of_realm = len(report.realm.notes) if report.realm is not None else 0
    if not noted and not of_realm:
        return {}
    return {
        NOTICE: f"{of_realm} notes on the realm, and notes on {noted} of its clients: ?report=true shows them"
    }


def _describe_key(key: RealmKey) -> dict[str, object]:
    return {
        "kid": key.kid,
        "algorithm": key.alg,
        "type": key.public_jwk["kty"],
        "use": "SIG",
        "purpose": key.purpose.value,
        "status": "PASSIVE" if key.state.value == "retiring" else "ACTIVE",
        "state": key.state.value,
        "createdAt": int(key.created_at),
        "stateSince": int(key.state_since),
        "publicJwk": dict(key.public_jwk),
    }
