"""Roles of a realm and of its clients, by name and by id, and what they are composed of."""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.role_catalogue import RoleKey, composites_of, roles_of_realm
from keyturn_credentials.domain.role_changes import require_key, require_role
from keyturn_credentials.domain.role_representation import describe_role, describe_roles, matching, owners
from keyturn_credentials.domain.roles import Role
from keyturn_credentials.errors import InvalidRequestError, NotFoundError
from keyturn_credentials.http.bodies import read_json, read_json_list
from keyturn_credentials.operations.role_targets import RoleTarget
from keyturn_credentials.operations.roles import RoleOperations
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.queries.service_accounts import ServiceAccountQueries
from keyturn_credentials.web.clients import MANAGE, VIEW
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_credentials.web.query_params import page
from keyturn_credentials.web.role_mappings import describe_users, user_page

_REALM: Final = "/admin/realms/{realm}"
_CLIENT: Final = f"{_REALM}/clients/{{uuid}}"
VIEW_ROLES: Final = (*VIEW, Role.MANAGE_REALM)
MANAGE_ROLES: Final = (Role.MANAGE_REALM,)
MANAGE_ANY_ROLES: Final = (*MANAGE, *MANAGE_ROLES)
"""For addresses of roles by id: the role decides which of the two is required."""

Find = Callable[[Call], Awaitable[tuple[Realm, RoleKey]]]
Target = Callable[[Call], Awaitable[RoleTarget]]


class RoleRoutes:
    """Handlers of Keycloak's RoleContainerResource and RoleByIdResource."""

    def __init__(
        self, queries: Queries, accounts: ServiceAccountQueries, operations: RoleOperations, base_url: str
    ) -> None:
        self._queries = queries
        self._accounts = accounts
        self._operations = operations
        self._base_url = base_url

    def routes(self, gate: Gate) -> list[BaseRoute]:
        return [
            *self._container(gate, f"{_REALM}/roles", VIEW_ROLES, MANAGE_ROLES, is_of_client=False),
            *self._container(gate, f"{_CLIENT}/roles", VIEW, MANAGE, is_of_client=True),
            *self._role(
                gate,
                f"{_REALM}/roles-by-id/{{role}}",
                VIEW_ROLES,
                MANAGE_ANY_ROLES,
                self._by_id,
                self._target_by_id,
            ),
        ]

    def _container(
        self,
        gate: Gate,
        path: str,
        view: tuple[Role, ...],
        manage: tuple[Role, ...],
        *,
        is_of_client: bool,
    ) -> list[BaseRoute]:
        endpoints = {
            "GET": Endpoint(partial(self.list, is_of_client=is_of_client), view),
            "POST": Endpoint(partial(self.create, is_of_client=is_of_client), manage),
        }
        find = partial(self._by_name, is_of_client=is_of_client)
        target = partial(self._target_by_name, is_of_client=is_of_client)
        return [
            gate.route(path, endpoints),
            gate.route(f"{path}/{{role}}/users", {"GET": Endpoint(partial(self.users, find), view)}),
            *self._role(gate, f"{path}/{{role}}", view, manage, find, target),
        ]

    def _role(
        self,
        gate: Gate,
        path: str,
        view: tuple[Role, ...],
        manage: tuple[Role, ...],
        find: Find,
        target: Target,
    ) -> list[BaseRoute]:
        composites = f"{path}/composites"
        return [
            gate.route(
                path,
                {
                    "GET": Endpoint(partial(self.get, find), view),
                    "PUT": Endpoint(partial(self.update, target), manage),
                    "DELETE": Endpoint(partial(self.delete, target), manage),
                },
            ),
            gate.route(
                composites,
                {
                    "GET": Endpoint(partial(self.composites, find, _any), view),
                    "POST": Endpoint(partial(self.put_composites, target, is_in=True), manage),
                    "DELETE": Endpoint(partial(self.put_composites, target, is_in=False), manage),
                },
            ),
            gate.route(
                f"{composites}/realm", {"GET": Endpoint(partial(self.composites, find, _of_realm), view)}
            ),
            gate.route(
                f"{composites}/clients/{{client}}",
                {"GET": Endpoint(partial(self.client_composites, find), view)},
            ),
        ]

    async def list(self, call: Call, *, is_of_client: bool) -> Response:
        owner: str | None = None
        uuids: dict[str, str] = {}
        if is_of_client:
            realm, client = await self._queries.client(call.realm, call.client_uuid)
            owner, uuids = client.client_id, {client.client_id: client.uuid}
        else:
            realm = await self._queries.realm(call.realm)
        keys = [key for key in roles_of_realm(realm) if key[0] == owner]
        is_brief = (call.query("briefRepresentation") or "true").lower() != "false"
        return JSONResponse(describe_roles(realm, paged(call, realm, keys), uuids, is_brief=is_brief))

    async def create(self, call: Call, *, is_of_client: bool) -> Response:
        uuid = call.client_uuid if is_of_client else None
        done = await self._operations.create(call.realm_target, uuid, await read_json(call.request))
        call.changed(done)
        container = f"{quote(call.realm)}/clients/{quote(uuid)}" if uuid else quote(call.realm)
        location = f"{self._base_url}/admin/realms/{container}/roles/{quote(done.value[1], safe='')}"
        return Response(status_code=201, headers={"Location": location})

    async def get(self, find: Find, call: Call) -> Response:
        realm, key = await find(call)
        uuids = await self._queries.uuids(realm, owners([key]))
        return JSONResponse(describe_role(realm, key, uuids, is_brief=False))

    async def update(self, target: Target, call: Call) -> Response:
        representation = await read_json(call.request)
        call.changed(await self._operations.update(await target(call), representation))
        return Response(status_code=204)

    async def delete(self, target: Target, call: Call) -> Response:
        call.changed(await self._operations.delete(await target(call)))
        return Response(status_code=204)

    async def composites(self, find: Find, is_shown: Callable[[RoleKey], bool], call: Call) -> Response:
        realm, key = await find(call)
        known = roles_of_realm(realm)
        keys = [each for each in composites_of(known[key]) if each in known and is_shown(each)]
        shown = paged(call, realm, keys)
        uuids = await self._queries.uuids(realm, owners(shown))
        return JSONResponse(describe_roles(realm, shown, uuids))

    async def client_composites(self, find: Find, call: Call) -> Response:
        _, client = await self._queries.client(call.realm, call.path("client"))
        return await self.composites(find, lambda key: key[0] == client.client_id, call)

    async def users(self, find: Find, call: Call) -> Response:
        """List the service accounts that were given a role."""
        realm, key = await find(call)
        first, most = user_page(call)
        clients = await self._accounts.holders(realm, key, first=first, most=most)
        return JSONResponse(describe_users(call, clients))

    async def put_composites(self, target: Target, call: Call, *, is_in: bool) -> Response:
        chosen = ids_in(await read_json_list(call.request))
        call.changed(await self._operations.put_composites(await target(call), chosen, is_in=is_in))
        return Response(status_code=204)

    async def _by_name(self, call: Call, *, is_of_client: bool) -> tuple[Realm, RoleKey]:
        owner: str | None = None
        if is_of_client:
            realm, client = await self._queries.client(call.realm, call.client_uuid)
            owner = client.client_id
        else:
            realm = await self._queries.realm(call.realm)
        key = owner, call.path("role")
        require_role(realm, key)
        return realm, key

    async def _by_id(self, call: Call) -> tuple[Realm, RoleKey]:
        realm = await self._queries.realm(call.realm)
        return realm, require_key(realm, call.path("role"))

    async def _target_by_name(self, call: Call, *, is_of_client: bool) -> RoleTarget:
        uuid = call.client_uuid if is_of_client else None
        return RoleTarget(call.realm_target, is_of_client, name=call.path("role"), client_uuid=uuid)

    async def _target_by_id(self, call: Call) -> RoleTarget:
        realm, key = await self._by_id(call)
        uuid = (await self._queries.uuids(realm, owners([key]))).get(key[0] or "")
        return RoleTarget(call.realm_target, key[0] is not None, client_uuid=uuid, role_id=call.path("role"))


def paged(call: Call, realm: Realm, keys: Iterable[RoleKey]) -> list[RoleKey]:
    """Return the roles that the query selects: ``search``, ``first`` and ``max``, in order of their names."""
    found = matching(realm, keys, call.query("search") or "")
    first, most = page(call)
    ordered = sorted(found, key=lambda key: (key[1], key[0] or ""))
    return ordered[first:] if not most else ordered[first : first + most]


def ids_in(representations: Iterable[dict[str, Any]] | None) -> list[str]:
    """Return the ids of roles in a request. Raises InvalidRequestError without a body, and NotFoundError for
    a role without an id."""
    if representations is None:
        raise InvalidRequestError("the body must be a JSON array of roles, each with its id")
    found = [role.get("id") for role in representations]
    if not all(isinstance(each, str) for each in found):
        raise NotFoundError("Could not find composite role")
    return [str(each) for each in found]


def _any(_: RoleKey) -> bool:
    return True


def _of_realm(key: RoleKey) -> bool:
    return key[0] is None
