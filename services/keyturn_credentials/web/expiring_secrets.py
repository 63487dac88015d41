"""``/admin/realms/{realm}/expiring-secrets``: secrets that expire, and their times."""

from typing import Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.secret_expiry import expiry_of
from keyturn_credentials.domain.secrets import RotationPolicy
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.web.clients import VIEW
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_credentials.web.query_params import whole_number
from keyturn_shared.clock import Clock

MAX_PAGE: Final = 1000
_DEFAULT_PAGE: Final = 200


class ExpiringSecretRoutes:
    """Handlers of the list of secrets that expire."""

    def __init__(self, queries: Queries, clock: Clock) -> None:
        self._queries = queries
        self._clock = clock

    def routes(self, gate: Gate) -> list[BaseRoute]:
        return [gate.route("/admin/realms/{realm}/expiring-secrets", {"GET": Endpoint(self.list, VIEW)})]

    async def list(self, call: Call) -> Response:
        """Return clients whose current or former secret expires, soonest first; at most ``max`` of each kind.
        Secrets that never expire are not listed."""
        most = min(whole_number(call, "max") or _DEFAULT_PAGE, MAX_PAGE)
        realm, found = await self._queries.clients_with_ending_secrets(call.realm, most=most)
        now = self._clock.now()
        shown = [entry for client in found if (entry := _describe(client, realm, now)) is not None]
        return JSONResponse(sorted(shown, key=lambda entry: (entry["next_at"] or now, entry["client_id"])))


def _describe(client: Client, realm: Realm, now: float) -> dict[str, Any] | None:
    policy = RotationPolicy.from_attributes(client.attributes, realm.attributes)
    expiry = expiry_of(client.secrets, policy, now)
    if expiry is None:
        return None
    times = (expiry.due_at, expiry.expires_at, expiry.former_ends_at)
    return {
        "client_uuid": client.uuid,
        "client_id": client.client_id,
        "enabled": client.enabled,
        "stage": expiry.stage.value,
        "created_at": expiry.created_at,
        "due_at": expiry.due_at,
        "expires_at": expiry.expires_at,
        "former_ends_at": expiry.former_ends_at,
        "next_at": min((time for time in times if time is not None and time > now), default=None),
        "own_policy": bool(client.attributes.get(attributes.POLICY_EXPIRATION, "").strip()),
    }
