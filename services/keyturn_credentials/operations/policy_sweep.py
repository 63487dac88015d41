"""Puts a realm's policy for secrets in force for clients that nobody changes."""

from dataclasses import replace
from typing import Final

from keyturn_credentials.domain.projection_builder import Projector
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.rotation_rules import RotationRules
from keyturn_credentials.domain.secrets import Due, due_change, set_expiry
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.operations.recording import record_projections
from keyturn_credentials.store.unit_of_work import SYSTEM, Store
from keyturn_shared.projection import Projection, client_field

_BATCH: Final = 200


class PolicySweep:
    """Gives secrets without an expiry the one of their policy, in batches, after each change of a realm."""

    def __init__(self, store: Store, projector: Projector) -> None:
        self._store = store
        self._projector = projector
        self._done: dict[str, int] = {}
        """The version of each realm whose clients have been visited."""
        self._at: dict[str, tuple[int, str]] = {}
        """The version and the last client id visited of a realm that is not done."""

    async def visit(self, realm: Realm, rules: RotationRules) -> bool:
        """Visit the next clients of a realm with a policy. Return whether any are left."""
        if rules.policy is None or not rules.automatic or self._done.get(realm.id) == realm.version:
            return False
        version, after = self._at.get(realm.id, (realm.version, ""))
        after = after if version == realm.version else ""
        async with self._store.find() as reading:
            client_ids = await reading.clients.without_expiry(realm.id, after, _BATCH)
        if not client_ids:
            self._done[realm.id] = realm.version
            self._at.pop(realm.id, None)
            return False
        await self._set_expiries(realm.name, client_ids)
        self._at[realm.id] = (realm.version, client_ids[-1])
        return True

    async def _set_expiries(self, realm_name: str, client_ids: list[str]) -> None:
        async with self._store.change(SYSTEM) as transaction:
            realm = await transaction.realms.get(realm_name)
            if realm is None:
                return
            changed: dict[str, Projection | None] = {}
            for client in await transaction.clients.some_for_change(realm.id, client_ids):
                try:
                    policy = RotationRules.from_attributes(client.attributes, realm.attributes).policy
                except InvalidRequestError:  # written by an earlier build
                    continue
                is_due = due_change(client.secrets, policy, transaction.now) is Due.SET_EXPIRY
                if policy is None or not is_due or not client.is_confidential:
                    continue
                secrets = set_expiry(client.secrets, policy, transaction.now)
                after = replace(client, secrets=secrets, version=client.version + 1)
                await transaction.clients.update(client, after)
                changed[client_field(realm.id, client.client_id)] = self._projector.project_client(
                    realm, after
                )
            if changed:
                await record_projections(transaction, realm, changed, reason="expiry of secrets by policy")
