"""Import of the clients in a Keycloak realm export into an existing realm."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final

from keyturn_credentials.domain.export_reading import ExportedClient, read_export
from keyturn_credentials.domain.guards import require_realm
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.role_catalogue import roles_of_realm, with_imported_roles
from keyturn_credentials.domain.token_algs import algs_asked_for, with_token_algs
from keyturn_credentials.errors import ConflictError
from keyturn_credentials.operations.changes import Changes
from keyturn_credentials.operations.import_pace import AT_ONCE, Pace
from keyturn_credentials.operations.import_plan import Destination, IfExists, ImportPlanner
from keyturn_credentials.operations.import_report import ImportedClient, ImportReport
from keyturn_credentials.operations.permissions import MANAGE_CLIENTS, Permission
from keyturn_credentials.operations.realms import RealmOperations
from keyturn_credentials.operations.roles import permission_for
from keyturn_credentials.operations.secret_issuer import SecretIssuer
from keyturn_credentials.store.unit_of_work import Actor, Store, UnitOfWork

_LOOKED_UP: Final = 500


class ImportOperations:
    """Reads and checks everything before anything is written. Raises the errors of ``Changes``, and
    InvalidRequestError."""

    def __init__(
        self, store: Store, changes: Changes, secrets: SecretIssuer, realms: RealmOperations
    ) -> None:
        self._realms = realms
        self._store = store
        self._changes = changes
        self._planner = ImportPlanner(secrets)

    async def run(
        self,
        actor: Actor,
        realm_name: str,
        export: Mapping[str, Any],
        *,
        if_exists: IfExists = IfExists.FAIL,
        dry_run: bool = False,
    ) -> ImportReport:
        """Import clients in batches, so that other changes get their turn.

        With FAIL nothing is written if any client already exists: ConflictError. A client that cannot be
        imported is refused in the report, and the others are imported. A dry run reports the same.
        """
        exported = read_export(export)
        return await self.run_with(
            actor, realm_name, exported, if_exists=if_exists, dry_run=dry_run, export=export
        )

    async def run_with(
        self,
        actor: Actor,
        realm_name: str,
        exported: Sequence[ExportedClient],
        *,
        if_exists: IfExists = IfExists.FAIL,
        dry_run: bool = False,
        pace: Pace = AT_ONCE,
        export: Mapping[str, Any],
    ) -> ImportReport:
        """Import clients that were already read of ``export``, which also has the roles that their service
        accounts were given. Up to ``pace.batch`` of them are all or nothing."""
        MANAGE_CLIENTS(actor.principal, realm_name, ())
        for_roles = await self._permission_for_roles(realm_name, export)
        for_roles(actor.principal, realm_name, ())
        if if_exists is IfExists.FAIL:
            await self._require_none_exists(realm_name, exported)
        report: list[ImportedClient] = []
        sequence: int | None = None
        algs = algs_asked_for(one.representation for one in exported if one.refused is None)
        if not dry_run:
            await self._realms.provide_algs(actor, realm_name, MANAGE_CLIENTS, algs)
            await self._realms.provide_roles(actor, realm_name, for_roles, export)
        async for batch in pace.batches(exported):
            if dry_run:
                report += await self.rehearse(actor, MANAGE_CLIENTS, realm_name, batch, if_exists, algs)
                continue
            async with self._store.change(actor) as transaction:
                realm = require_realm(await transaction.realms.get(realm_name))
                report += await self.run_in(transaction, actor, MANAGE_CLIENTS, realm, batch, if_exists)
            sequence = transaction.sequence or sequence
        return ImportReport(dry_run, tuple(report), sequence)

    async def run_in(
        self,
        transaction: UnitOfWork,
        actor: Actor,
        permission: Permission,
        realm: Realm,
        exported: Sequence[ExportedClient],
        if_exists: IfExists,
        *,
        is_new: bool = False,
    ) -> list[ImportedClient]:
        """Import clients in a caller's transaction. Return the outcome for each."""
        permission(actor.principal, realm.name, ())
        may = partial(permission, actor.principal, realm.name)
        to = Destination(realm, may, if_exists, transaction.now, is_new)
        plan = await self._planner.plan(transaction, to, exported)
        await self._changes.write_clients(transaction, actor.principal, permission, realm, plan.changes)
        return plan.lines

    async def rehearse(
        self,
        actor: Actor,
        permission: Permission,
        realm: Realm | str,
        exported: Sequence[ExportedClient],
        if_exists: IfExists,
        algs: Collection[str] = (),
    ) -> list[ImportedClient]:
        """Return the outcome of an import without writing anything. ``realm``: a new realm, or the name of an
        existing one, which would get keys for ``algs``."""
        is_new = isinstance(realm, Realm)
        async with self._store.read() as reading:
            if not isinstance(realm, Realm):
                realm = with_token_algs(require_realm(await reading.realms.get(realm)), algs)
            permission(actor.principal, realm.name, ())
            may = partial(permission, actor.principal, realm.name)
            to = Destination(realm, may, if_exists, self._store.now(), is_new)
            return (await self._planner.plan(reading, to, exported)).lines

    async def _permission_for_roles(self, realm_name: str, export: Mapping[str, Any]) -> Permission:
        """Return the permission to add the roles of an export that the realm does not have yet."""
        async with self._store.read() as reading:
            realm = require_realm(await reading.realms.get(realm_name))
        known = roles_of_realm(realm)
        added = roles_of_realm(with_imported_roles(realm, export)).keys() - known.keys()
        return permission_for(all(owner is not None for owner, _ in added))

    async def _require_none_exists(self, realm_name: str, exported: Sequence[ExportedClient]) -> None:
        ids = [one.client_id for one in exported if one.refused is None]
        async with self._store.read() as reading:
            realm = require_realm(await reading.realms.get(realm_name))
            for start in range(0, len(ids), _LOOKED_UP):
                found = await reading.clients.some(realm.id, ids[start : start + _LOOKED_UP])
                if found:
                    raise ConflictError(f"Client {found[0].client_id} already exists")
