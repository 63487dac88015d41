"""``…/rotations``: the rotations of a realm or a client."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain.realm_key_rotations import REALM_KEY, RealmKeyRotation
from keyturn_credentials.domain.rotation import Kind, Reason, RotatedKeys, State
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.http.bodies import read_json
from keyturn_credentials.operations.changes import Done
from keyturn_credentials.operations.key_rotations import KeyRotationOperations
from keyturn_credentials.operations.rotations import Moved, RotationOperations
from keyturn_credentials.queries.policy_trials import PolicyTrials
from keyturn_credentials.queries.rotations import RotationQueries, ShownRotation
from keyturn_credentials.store.unit_of_work import Actor
from keyturn_credentials.web.clients import CONFIGURE, VIEW
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_credentials.web.query_params import whole_number

MAX_PAGE: Final = 1000
_DEFAULT_PAGE: Final = 200
_MEMBERS: Final = {"kind", "reason", "jwk"}
_TRIAL_MEMBERS: Final = {"attributes", "client_uuid"}
OPEN: Final = "open"
DAY_SECONDS: Final = 86_400
_PLAN_DAYS: Final = 90
_MOST_PLAN_DAYS: Final = 36_500


class RotationRoutes:
    """Handlers of rotations."""

    def __init__(
        self,
        queries: RotationQueries,
        trials: PolicyTrials,
        operations: RotationOperations,
        keys: KeyRotationOperations,
    ) -> None:
        self._queries = queries
        self._trials = trials
        self._operations = operations
        self._keys = keys

    def routes(self, gate: Gate) -> list[BaseRoute]:
        realm = "/admin/realms/{realm}"
        one = f"{realm}/rotations/{{rotation}}"
        operations = self._operations
        moves = {
            "pause": operations.pause,
            "resume": operations.resume,
            "cancel": operations.cancel,
            "delivered": operations.confirm_delivery,
        }
        return [
            gate.route(f"{realm}/rotations", {"GET": Endpoint(self.list, VIEW)}),
            gate.route(
                f"{realm}/rotations/plan",
                {"GET": Endpoint(self.plan, VIEW), "POST": Endpoint(self.try_policy, VIEW)},
            ),
            gate.route(
                f"{realm}/clients/{{uuid}}/rotations",
                {"GET": Endpoint(self.list_of_client, VIEW), "POST": Endpoint(self.start, CONFIGURE)},
            ),
            gate.route(one, {"GET": Endpoint(self.get, VIEW)}),
            *(
                gate.route(f"{one}/{name}", {"POST": Endpoint(self._moving(move), CONFIGURE)})
                for name, move in moves.items()
            ),
        ]

    async def list(self, call: Call) -> Response:
        """Return the realm's rotations, newest first; with ``state``, only those in these states, separated
        by commas. ``open`` stands for all that have not ended. ``kind``: ``secret``, ``key``, or
        ``realm_key``, which is returned only if asked for."""
        states, kind = _states(call.query("state")), call.query("kind")
        if kind == REALM_KEY:
            keys = await self._queries.of_realm_keys(call.realm)
            return JSONResponse(
                [_describe_realm_key(each) for each in keys if not states or each.state in states]
            )
        if kind is not None and kind not in [each.value for each in Kind]:
            raise InvalidRequestError(f"kind must be {', '.join(Kind)} or {REALM_KEY}")
        wanted = None if kind is None else Kind(kind)
        found = await self._queries.of_realm(call.realm, states, most=_most(call), kind=wanted)
        return JSONResponse([_describe(each) for each in found])

    async def list_of_client(self, call: Call) -> Response:
        found = await self._queries.of_client(call.realm, call.client_uuid, most=_most(call))
        return JSONResponse([_describe(each) for each in found])

    async def plan(self, call: Call) -> Response:
        """Return what policies will do in the next ``days``, soonest first."""
        planned = await self._queries.plan(call.realm, seconds=_ahead(call), most=_most(call))
        return JSONResponse([asdict(entry) for entry in planned])

    async def try_policy(self, call: Call) -> Response:
        """Return what the policy in the body would do in the next ``days``, soonest first; store nothing."""
        client_uuid, changes = _tried(await read_json(call.request))
        seconds = _ahead(call)
        if client_uuid is None:
            planned = await self._trials.of_realm(call.realm, changes, seconds=seconds, most=_most(call))
        else:
            planned = await self._trials.of_client(call.realm, client_uuid, changes, seconds=seconds)
        return JSONResponse([asdict(entry) for entry in planned])

    async def get(self, call: Call) -> Response:
        return JSONResponse(_describe(await self._queries.one(call.realm, call.path("rotation"))))

    async def start(self, call: Call) -> Response:
        """Rotate the client's secret or key now."""
        kind, reason, jwk = _asked(await read_json(call.request))
        if kind is Kind.KEY:
            moved = await self._keys.start(call.client_target, reason, jwk)
        else:
            moved = await self._operations.start(call.client_target, reason)
        response = await self._answer(call, moved, status=201)
        path = call.request.url.path.partition("/clients/")[0]
        response.headers["location"] = f"{path}/rotations/{moved.rotation.id}"
        return response

    def _moving(
        self, move: Callable[[Actor, str, str], Awaitable[Moved]]
    ) -> Callable[[Call], Awaitable[Response]]:
        async def handle(call: Call) -> Response:
            return await self._answer(call, await move(call.actor, call.realm, call.path("rotation")))

        return handle

    async def _answer(self, call: Call, moved: Moved, *, status: int = 200) -> Response:
        if moved.sequence is not None:
            call.changed(Done(moved.sequence, moved.rotation))
        shown = await self._queries.one(call.realm, moved.rotation.id)
        return JSONResponse(_describe(shown), status)


def _describe(shown: ShownRotation) -> dict[str, Any]:
    rotation = shown.rotation
    return {
        "id": rotation.id,
        "client_uuid": rotation.client_uuid,
        "client_id": shown.client_id,
        "kind": rotation.kind.value,
        "reason": rotation.reason.value,
        "state": rotation.state.value,
        "paused": rotation.paused,
        "waits_for": None if shown.waits_for is None else shown.waits_for.value,
        "alert": None if rotation.alert is None else rotation.alert.value,
        "failure": None if rotation.failure is None else asdict(rotation.failure),
        "created_at": rotation.created_at,
        "start_at": rotation.start_at,
        "deadline": rotation.deadline,
        "retire_at": rotation.retire_at,
        "keys": None if rotation.keys is None else _describe_keys(rotation.keys),
        "history": [
            {"state": move.state.value, "at": move.at, "sequence": move.sequence} for move in rotation.history
        ],
    }


def _describe_realm_key(rotation: RealmKeyRotation) -> dict[str, Any]:
    return {
        "id": rotation.id,
        "client_uuid": None,
        "client_id": None,
        "kind": REALM_KEY,
        "reason": Reason.POLICY.value,
        "state": rotation.state.value,
        "paused": False,
        "waits_for": None if rotation.waits_for is None else rotation.waits_for.value,
        "alert": None,
        "failure": None,
        "created_at": rotation.created_at,
        "start_at": rotation.start_at,
        "deadline": None,
        "retire_at": rotation.retire_at,
        "keys": {"former": list(rotation.former), "successors": [rotation.id], "published": True},
        "history": [
            {"state": move.state.value, "at": move.at, "sequence": None} for move in rotation.history
        ],
    }


def _describe_keys(keys: RotatedKeys) -> dict[str, Any]:
    return {
        "former": None if keys.former is None else list(keys.former),
        "successors": list(keys.successors),
        "published": keys.published,
    }


def _asked(body: dict[str, Any]) -> tuple[Kind, Reason, object]:
    unknown = sorted(set(body) - _MEMBERS)
    if unknown:
        raise InvalidRequestError(f"unknown member {unknown[0]!r}; the members are kind, reason and jwk")
    kind, reason = body.get("kind", Kind.SECRET.value), body.get("reason", Reason.MANUAL.value)
    if kind not in [each.value for each in Kind]:
        raise InvalidRequestError(f"kind must be {' or '.join(each.value for each in Kind)}")
    if reason not in (Reason.MANUAL.value, Reason.COMPROMISED.value):
        raise InvalidRequestError("reason must be manual or compromised")
    if kind != Kind.KEY.value and "jwk" in body:
        raise InvalidRequestError("jwk is for rotations of kind key")
    return Kind(kind), Reason(reason), body.get("jwk")


def _tried(body: dict[str, Any]) -> tuple[str | None, dict[str, object]]:
    unknown = sorted(set(body) - _TRIAL_MEMBERS)
    if unknown:
        raise InvalidRequestError(
            f"unknown member {unknown[0]!r}; the members are attributes and client_uuid"
        )
    client_uuid, attributes = body.get("client_uuid"), body.get("attributes")
    if client_uuid is not None and not isinstance(client_uuid, str):
        raise InvalidRequestError("client_uuid must be a string")
    if not isinstance(attributes, dict):
        raise InvalidRequestError("attributes must be an object with string values")
    return client_uuid, attributes


def _states(text: str | None) -> list[State]:
    found: list[State] = []
    for name in (name.strip() for name in (text or "").split(",")):
        if name == OPEN:
            found += [state for state in State if state.is_open]
        elif name in [state.value for state in State]:
            found.append(State(name))
        elif name:
            known = ", ".join([OPEN, *(state.value for state in State)])
            raise InvalidRequestError(f"unknown state {name!r}; expected one of {known}")
    return found


def _ahead(call: Call) -> float:
    """Return the seconds that a plan looks ahead."""
    return min(whole_number(call, "days") or _PLAN_DAYS, _MOST_PLAN_DAYS) * DAY_SECONDS


def _most(call: Call) -> int:
    return min(whole_number(call, "max") or _DEFAULT_PAGE, MAX_PAGE)
