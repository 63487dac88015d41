"""``/admin/realms/{realm}/clients`` and the paths of one client."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute

from keyturn_credentials.domain.attributes import JWKS_STRING, USE_JWKS_STRING
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_keys import keys_of
from keyturn_credentials.domain.mapper_effects import without_effect
from keyturn_credentials.domain.protocol_mappers import MAPPERS, mappers_in
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.representation import describe_client
from keyturn_credentials.domain.roles import Role
from keyturn_credentials.domain.rotation_rules import RotationRules
from keyturn_credentials.domain.secrets import Due, due_change
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.http.bodies import read_json
from keyturn_credentials.operations.clients import ClientOperations
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.store.search_query import Criteria, parse_query
from keyturn_credentials.web.gate import Call, Endpoint, Gate, entity_tag
from keyturn_credentials.web.notices import NOTICE, notice
from keyturn_shared.clock import Clock
from keyturn_shared.jose import strict_json

VIEW: Final = (Role.VIEW_CLIENTS,)
CONFIGURE: Final = (Role.CONFIGURE_CLIENTS,)
MANAGE: Final = (Role.MANAGE_CLIENTS,)

SECRET_IS_DUE: Final = "the next change to this client gives it a new secret"  # noqa: S105 - a text
"""Notice that any change to the client will rotate its secret, as the policy requires."""
MAX_PAGE: Final = 1000
MAX_COUNT: Final = 10_000
_KEY_SET: Final = frozenset({JWKS_STRING, USE_JWKS_STRING})
_MAX_OFFSET: Final = 2**31


class ClientRoutes:
    """Handlers of Keycloak's ClientsResource and ClientResource."""

    def __init__(self, queries: Queries, clock: Clock, operations: ClientOperations, base_url: str) -> None:
        self._queries = queries
        self._clock = clock
        self._operations = operations
        self._base_url = base_url

    def routes(self, gate: Gate) -> list[BaseRoute]:
        return [
            gate.route(
                "/admin/realms/{realm}/clients",
                {"GET": Endpoint(self.list, VIEW), "POST": Endpoint(self.create, MANAGE)},
            ),
            gate.route("/admin/realms/{realm}/client-count", {"GET": Endpoint(self.count, VIEW)}),
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
        criteria = _criteria(call)
        first = _number(call, "first") or 0
        most = _number(call, "max")
        if (most is not None and most <= MAX_PAGE) or first:
            size = MAX_PAGE if most is None else min(most, MAX_PAGE)
            realm, page = await self._queries.page_of_clients(call.realm, criteria, first=first, most=size)
            self._note_listed(call, [client for client in page if _shows_secret(call, realm, client)])
            return JSONResponse([self._describe(call, realm, client) for client in page])
        realm = await self._queries.realm(call.realm)
        return StreamingResponse(self._stream(call, realm, criteria, most), media_type="application/json")

    async def count(self, call: Call) -> Response:
        """Return how many clients a search finds, counted up to ``MAX_COUNT``; ``more``: there are more."""
        found = await self._queries.count_clients(call.realm, _criteria(call), most=MAX_COUNT + 1)
        return JSONResponse({"count": min(found, MAX_COUNT), "more": found > MAX_COUNT})

    async def create(self, call: Call) -> Response:
        representation = await read_json(call.request)
        done = await self._operations.create(call.actor, call.realm, representation)
        call.changed(done)
        client, secret = done.value
        location = f"{self._base_url}/admin/realms/{quote(call.realm)}/clients/{client.uuid}"
        headers = {"Location": location, "ETag": entity_tag(client.version)}
        headers |= _notice_of(client, representation)
        if secret is None:
            return Response(status_code=201, headers=headers)
        # Only its digest is stored, so the secret is shown here and never again.
        shown = {"id": client.uuid, "clientId": client.client_id, "secret": secret.reveal()}
        return JSONResponse(shown, 201, headers)

    async def get(self, call: Call) -> Response:
        realm, client = await self._queries.client(call.realm, call.client_uuid)
        note_shown(call, client, _shows_secret(call, realm, client))
        headers = {"ETag": entity_tag(client.version)}
        rules = RotationRules.from_attributes(client.attributes, realm.attributes)
        due = due_change(client.secrets, rules.policy, self._clock.now(), automatic=rules.automatic)
        if due is Due.ROTATE:
            headers[NOTICE] = SECRET_IS_DUE
        return JSONResponse(self._describe(call, realm, client), headers=headers)

    async def update(self, call: Call) -> Response:
        representation = await read_json(call.request)
        done = await self._operations.update(call.client_target, representation)
        call.changed(done)
        headers = {"ETag": entity_tag(done.value.version), **_notice_of(done.value, representation)}
        return Response(status_code=204, headers=headers)

    async def delete(self, call: Call) -> Response:
        done = await self._operations.delete(call.client_target)
        call.changed(done)
        return Response(status_code=204)

    async def _stream(
        self, call: Call, realm: Realm, criteria: Criteria, most: int | None
    ) -> AsyncIterator[bytes]:
        """Yield all clients as one JSON array."""
        separator, shown = b"[", False
        async for client in self._queries.all_clients(realm, criteria, most=most):
            if not shown and _shows_secret(call, realm, client):
                shown = True
                call.note("secrets_listed")
            yield separator + strict_json.encode(self._describe(call, realm, client))
            separator = b","
        yield b"[]" if separator == b"[" else b"]"

    def _note_listed(self, call: Call, shown: Sequence[Client]) -> None:
        """Note that the secrets of these clients are shown."""
        if len(shown) == 1:
            note_shown(call, shown[0], is_shown=True)
        elif shown:
            call.note("secrets_listed", clients=len(shown))

    def _describe(self, call: Call, realm: Realm, client: Client) -> dict[str, object]:
        may_see = may_see_secret(call, realm, client)
        return describe_client(client, realm, show_secret=may_see, now=self._clock.now())


def _criteria(call: Call) -> Criteria:
    return Criteria(
        client_id=call.query("clientId") or None,
        is_part=call.is_true("search"),
        attributes=parse_query(call.query("q") or ""),
    )


def _notice_of(client: Client, representation: Mapping[str, Any]) -> dict[str, str]:
    """Build a notice about what the caller sent and has no effect: keys that are skipped, mappers."""
    notes: list[str] = []
    if not _KEY_SET.isdisjoint(representation.get("attributes") or ()):
        notes += keys_of(client).notes
    if representation.get(MAPPERS):
        notes += without_effect(mappers_in(client.document, client.uuid))
    return notice(notes)


def may_see_secret(call: Call, realm: Realm, client: Client) -> bool:
    """Return whether the caller may see the secret. Callers with view permission only, or with fewer roles
    than the client, see a mask. If the realm stores digests only, no one sees a secret again, even one not
    deleted yet, except for one that its client has yet to get from a rotation."""
    current = client.secrets.current
    if realm.keeps_digests_only and (current is None or current.rotation is None):
        return False
    return call.may(Role.CONFIGURE_CLIENTS) and call.principal.may_act_on(client.admin_roles, call.realm)


def note_shown(call: Call, client: Client, is_shown: bool, *, former: bool = False) -> None:
    """Note for the audit log that the caller sees a secret of this client, unless it is masked."""
    if is_shown:
        which = {"former": True} if former else {}
        call.note("secret_shown", client_uuid=client.uuid, client_id=client.client_id, **which)


def _shows_secret(call: Call, realm: Realm, client: Client) -> bool:
    return client.secrets.current is not None and may_see_secret(call, realm, client)


def _number(call: Call, name: str) -> int | None:
    """Parse a number in the query; None if absent or negative, which Keycloak treats as no limit."""
    text = call.query(name)
    if not text:
        return None
    try:
        number = int(text)
    except ValueError:
        raise InvalidRequestError(f"{name} must be a number") from None
    if number > _MAX_OFFSET:
        raise InvalidRequestError(f"{name} is too large")
    return None if number < 0 else number
