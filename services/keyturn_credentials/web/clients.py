"""``/admin/realms/{realm}/clients`` and what is below one client."""

from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import quote

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.representation import describe_client
from keyturn_credentials.domain.roles import Role
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.operations.clients import ClientOperations
from keyturn_credentials.operations.recording import require_client, require_realm
from keyturn_credentials.store.finding import Criteria
from keyturn_credentials.store.search import find_after, find_page, read_query
from keyturn_credentials.store.transaction import Store
from keyturn_credentials.web.bodies import read_json
from keyturn_credentials.web.gate import Call, Endpoint, Gate, entity_tag
from keyturn_shared.clock import Clock
from keyturn_shared.jose import strict_json

VIEW: Final = (Role.VIEW_CLIENTS,)
CONFIGURE: Final = (Role.CONFIGURE_CLIENTS,)
MANAGE: Final = (Role.MANAGE_CLIENTS,)

MAX_PAGE: Final = 1000
_STREAM_BATCH: Final = 500
_BIGGEST_OFFSET: Final = 2**31


class ClientRoutes:
    """Handlers of Keycloak's ClientsResource and ClientResource."""

    def __init__(self, store: Store, clock: Clock, operations: ClientOperations, base_url: str) -> None:
        self._store = store
        self._clock = clock
        self._operations = operations
        self._base_url = base_url

    def routes(self, gate: Gate) -> list[BaseRoute]:
        return [
            gate.route(
                "/admin/realms/{realm}/clients",
                {"GET": Endpoint(self.list, VIEW), "POST": Endpoint(self.create, MANAGE)},
            ),
            gate.route(
                "/admin/realms/{realm}/clients/{uuid}",
                {
                    "GET": Endpoint(self.get, VIEW),
                    "PUT": Endpoint(self.update, CONFIGURE),
                    "DELETE": Endpoint(self.delete, MANAGE),
                },
            ),
        ]

    async def list(self, call: Call) -> Response:
        criteria = Criteria(
            client_id=call.query("clientId") or None,
            is_part=(call.query("search") or "").lower() == "true",
            attributes=read_query(call.query("q") or ""),
        )
        first = _number(call, "first") or 0
        most = _number(call, "max")
        async with self._store.read() as reading:
            realm = require_realm(await reading.realms.get(call.realm))
            if (most is not None and most <= MAX_PAGE) or first:
                size = MAX_PAGE if most is None else min(most, MAX_PAGE)
                page = await find_page(reading, realm.id, criteria, first=first, most=size)
                return JSONResponse([self._describe(call, realm, client) for client in page])
        return StreamingResponse(self._stream(call, realm, criteria, most), media_type="application/json")

    async def create(self, call: Call) -> Response:
        done = await self._operations.create(call.actor, call.realm, await read_json(call.request))
        call.changed(done)
        client, secret = done.value
        location = f"{self._base_url}/admin/realms/{quote(call.realm)}/clients/{client.uuid}"
        headers = {"Location": location, "ETag": entity_tag(client.version)}
        if secret is None:
            return Response(status_code=201, headers=headers)
        # Only its digest is kept, so this is where the secret is shown.
        shown = {"id": client.uuid, "clientId": client.client_id, "secret": secret.reveal()}
        return JSONResponse(shown, 201, headers)

    async def get(self, call: Call) -> Response:
        async with self._store.find() as reading:
            realm = require_realm(await reading.realms.get(call.realm))
            client = require_client(await reading.clients.get(realm.id, call.client_uuid))
        return JSONResponse(self._describe(call, realm, client), headers={"ETag": entity_tag(client.version)})

    async def update(self, call: Call) -> Response:
        representation = await read_json(call.request)
        done = await self._operations.update(
            call.actor, call.realm, call.client_uuid, representation, expected=call.expected_versions
        )
        call.changed(done)
        return Response(status_code=204, headers={"ETag": entity_tag(done.value.version)})

    async def delete(self, call: Call) -> Response:
        done = await self._operations.delete(
            call.actor, call.realm, call.client_uuid, expected=call.expected_versions
        )
        call.changed(done)
        return Response(status_code=204)

    async def _stream(
        self, call: Call, realm: Realm, criteria: Criteria, most: int | None
    ) -> AsyncIterator[bytes]:
        """All clients as one JSON array, read in batches: a realm may have a million."""
        after, left, separator = "", most, b"["
        while left is None or left > 0:
            size = _STREAM_BATCH if left is None else min(_STREAM_BATCH, left)
            async with self._store.read() as reading:
                batch = await find_after(reading, realm.id, criteria, after=after, most=size)
            for client in batch:
                yield separator + strict_json.encode(self._describe(call, realm, client))
                separator = b","
            if len(batch) < size:
                break
            after = batch[-1].client_id
            left = None if left is None else left - len(batch)
        yield b"[]" if separator == b"[" else b"]"

    def _describe(self, call: Call, realm: Realm, client: Client) -> dict[str, object]:
        return describe_client(client, show_secret=may_see_secret(call, realm, client), now=self._clock.now())


def may_see_secret(call: Call, realm: Realm, client: Client) -> bool:
    """Callers that may only view see a mask, and so do those that hold less than the client itself. Where
    only digests are to be kept nobody sees a secret again, also one that is not forgotten yet."""
    if realm.keeps_digests_only:
        return False
    return call.may(Role.CONFIGURE_CLIENTS) and call.principal.may_act_on(client.admin_roles, call.realm)


def _number(call: Call, name: str) -> int | None:
    """A number in the query; None when absent or negative, which Keycloak takes for no limit."""
    text = call.query(name)
    if not text:
        return None
    try:
        number = int(text)
    except ValueError:
        raise InvalidRequestError(f"{name} is a number") from None
    if number > _BIGGEST_OFFSET:
        raise InvalidRequestError(f"{name} is too large")
    return None if number < 0 else number
