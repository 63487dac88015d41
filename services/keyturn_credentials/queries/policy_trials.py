"""Plans under policies that are not stored."""

from collections.abc import Callable, Mapping

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.guards import require_client, require_realm
from keyturn_credentials.domain.policy_trial import plan_after_change, plan_after_sweep, try_policy
from keyturn_credentials.domain.rotation import Kind
from keyturn_credentials.domain.rotation_planning import Planned, plan_for, plan_for_key, within
from keyturn_credentials.domain.rotation_rules import RotationRules
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.store.planned_clients import find_expiring, find_oldest_keys
from keyturn_credentials.store.unit_of_work import Store
from keyturn_shared.clock import Clock


class PolicyTrials:
    """``changes``: attributes of a policy; an empty one is removed. All raise NotFoundError,
    InvalidMembersError and StoreUnavailableError."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def of_realm(
        self, realm_name: str, changes: Mapping[str, object], *, seconds: float, most: int
    ) -> list[Planned]:
        """Return what would happen within so many seconds, soonest first, to the ``most`` secrets that expire
        soonest, to as many that would get an expiry, and to as many of the oldest keys."""
        async with self._store.read() as reading:
            realm = require_realm(await reading.realms.get(realm_name))
            tried = try_policy(realm.attributes, changes, of_client=False)
            rules = RotationRules.from_attributes({}, tried)
            expiring = await find_expiring(reading, realm.id, most=most, only_current=True)
            unending: list[Client] = []
            if rules.policy is not None and rules.automatic:
                client_ids = await reading.clients.without_expiry(realm.id, "", most)
                unending = await reading.clients.some(realm.id, client_ids)
            with_keys = await find_oldest_keys(reading, realm.id, most=most)
        now = self._clock.now()
        planned = [_planned(client, tried, now, plan_for) for client in expiring]
        planned += [_planned(client, tried, now, plan_after_sweep) for client in unending]
        planned += [_planned(client, tried, now, plan_for_key) for client in with_keys]
        return within(planned, now + seconds)

    async def of_client(
        self, realm_name: str, client_uuid: str, changes: Mapping[str, object], *, seconds: float
    ) -> list[Planned]:
        """Return what would happen to the client's secret and to its key within so many seconds."""
        async with self._store.read() as reading:
            realm = require_realm(await reading.realms.get(realm_name))
            client = require_client(await reading.clients.get(realm.id, client_uuid))
            open_kinds = {each.kind for each in await reading.rotations.open_of_client(client.uuid)}
        tried = try_policy(client.attributes, changes, of_client=True)
        now = self._clock.now()
        rules = RotationRules.from_attributes(tried, realm.attributes)
        of_key = None if Kind.KEY in open_kinds else plan_for_key(client, rules, now)
        return within([plan_after_change(client, rules, now), of_key], now + seconds)


def _planned(
    client: Client,
    realm_attributes: Mapping[str, str],
    now: float,
    plan: Callable[[Client, RotationRules, float], Planned | None],
) -> Planned | None:
    try:
        rules = RotationRules.from_attributes(client.attributes, realm_attributes)
    except InvalidRequestError:  # written by an earlier build
        return None
    return plan(client, rules, now)
