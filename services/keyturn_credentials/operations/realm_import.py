"""Import of a complete realm export: settings and clients, all or nothing."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from keyturn_credentials.domain.export_reading import ExportedClient, ExportedRealm, read_realm
from keyturn_credentials.domain.guards import require_realm
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.token_algs import algs_asked_for
from keyturn_credentials.errors import CredentialsError, InvalidRequestError
from keyturn_credentials.operations.changes import Done
from keyturn_credentials.operations.import_pace import AT_ONCE, Pace
from keyturn_credentials.operations.import_plan import IfExists
from keyturn_credentials.operations.import_report import Action, ImportedClient, ImportedRealm, ImportReport
from keyturn_credentials.operations.importing import ImportOperations
from keyturn_credentials.operations.permissions import CREATE_REALM
from keyturn_credentials.operations.realms import RealmOperations
from keyturn_credentials.operations.targets import RealmTarget
from keyturn_credentials.store.unit_of_work import Actor, Store

MAX_CLIENTS: Final = 1000
"""All are written in one transaction, which blocks other writers. Use partial import for more."""
_NAMED_IN_ERROR: Final = 5


class RealmImportOperations:
    """Operations of realm import. They raise the errors of ``Changes``, and InvalidRequestError."""

    def __init__(self, store: Store, realms: RealmOperations, imports: ImportOperations) -> None:
        self._store = store
        self._realms = realms
        self._imports = imports

    async def create(
        self, actor: Actor, representation: Mapping[str, Any]
    ) -> tuple[Done[Realm], ImportReport | None]:
        """Create the realm of a request. A representation with ``clients`` is imported like an export, with a
        report.

        A client that cannot be imported is an error, because callers may look only at the status. Clients
        that Keycloak creates for itself are left out.
        """
        if not representation.get("clients"):
            return await self._realms.create(actor, representation), None
        exported = read_realm(representation)
        clients = [client for client in exported.clients if not client.is_keycloaks_own]
        if len(clients) > MAX_CLIENTS:
            raise InvalidRequestError(
                f"{len(clients)} clients; a realm can be created with at most {MAX_CLIENTS}: import the"
                " others with partialImport, or all with keyturn import"
            )
        refused = [client for client in clients if client.refused is not None]
        if refused:
            raise InvalidRequestError(_not_created({each.client_id: str(each.refused) for each in refused}))
        return await self._create(actor, exported, clients, all_of_them=True)

    async def run(
        self,
        actor: Actor,
        document: Mapping[str, Any],
        *,
        name: str | None = None,
        if_exists: IfExists = IfExists.FAIL,
        dry_run: bool = False,
        keep_unfinished: bool = False,
        pace: Pace = AT_ONCE,
    ) -> ImportReport:
        """Import a realm, under another ``name`` if one is given.

        A new realm is created with its settings. An existing realm keeps its own, except with OVERWRITE. A
        realm that an earlier import left unfinished is completed, whatever ``if_exists``, with the settings
        of this export. A client that cannot be imported is refused in the report. A failure leaves no new
        realm behind, unless ``keep_unfinished``.
        """
        exported = read_realm(document)
        name = name or exported.name
        if name is None:
            raise InvalidRequestError("the export does not name its realm: specify one")
        async with self._store.read() as reading:
            there = await reading.realms.get(name)
        if there is not None and there.is_unfinished and not dry_run:
            return await self._continue(actor, there, _renamed(exported, name), if_exists, pace)
        if there is not None:
            if there.is_unfinished:
                if_exists = _of_continued(if_exists)
            return await self._into(actor, there, exported, if_exists, dry_run=dry_run, pace=pace)
        exported = _renamed(exported, name)
        if dry_run:
            return await self._rehearse(actor, exported, pace)
        if len(exported.clients) <= pace.most_at_once:
            return (await self._create(actor, exported, exported.clients))[1]
        return await self._create_in_steps(actor, exported, pace, keep_unfinished=keep_unfinished)

    async def _create(
        self,
        actor: Actor,
        exported: ExportedRealm,
        clients: Sequence[ExportedClient],
        *,
        all_of_them: bool = False,
    ) -> tuple[Done[Realm], ImportReport]:
        """Create a realm with its clients in one transaction."""
        async with self._store.change(actor) as transaction:
            made = await self._realms.create_in(transaction, actor, exported.settings, is_import=True)
            lines = await self._imports.run_in(
                transaction, actor, CREATE_REALM, made.value, clients, IfExists.FAIL, is_new=True
            )
            if all_of_them and (refused := [line for line in lines if line.action is Action.REFUSED]):
                raise InvalidRequestError(
                    _not_created({line.client_id: ", ".join(line.notes) for line in refused})
                )
        sequence = transaction.sequence or made.sequence
        return Done(sequence, made.value), _report(made.value, exported, lines, sequence)

    async def _create_in_steps(
        self, actor: Actor, exported: ExportedRealm, pace: Pace, *, keep_unfinished: bool
    ) -> ImportReport:
        """Create a realm with more clients than one transaction should write. It is disabled and marked until
        it is complete. If that fails, it is deleted, or kept for another import to continue."""
        realm = (await self._realms.create_unfinished(actor, exported.settings)).value
        try:
            return await self._fill(actor, realm, exported, pace)
        except BaseException:  # also on Ctrl-C, so that no half-imported realm remains
            if not keep_unfinished:
                with suppress(CredentialsError):
                    await self._realms.withdraw(actor, realm)
            raise

    async def _continue(
        self, actor: Actor, realm: Realm, exported: ExportedRealm, if_exists: IfExists, pace: Pace
    ) -> ImportReport:
        """Complete a realm that an interrupted import left. Its settings, roles and algorithms become those
        of the export; its clients only with OVERWRITE."""
        await self._realms.resume(actor, realm, exported.settings)
        algs = algs_asked_for(one.representation for one in exported.clients if one.refused is None)
        await self._realms.provide_algs(actor, realm.name, CREATE_REALM, algs)
        await self._realms.provide_roles(actor, realm.name, CREATE_REALM, exported.settings)
        return await self._fill(actor, realm, exported, pace, _of_continued(if_exists))

    async def _fill(
        self,
        actor: Actor,
        realm: Realm,
        exported: ExportedRealm,
        pace: Pace,
        if_exists: IfExists = IfExists.SKIP,
    ) -> ImportReport:
        """Add the clients that an unfinished realm does not have yet, and end its import."""
        lines: list[ImportedClient] = []
        async for batch in pace.batches(exported.clients):
            async with self._store.change(actor) as transaction:
                current = require_realm(await transaction.realms.get(realm.name))
                lines += await self._imports.run_in(
                    transaction, actor, CREATE_REALM, current, batch, if_exists, is_new=True
                )
        is_enabled = exported.settings.get("enabled") is not False
        done = await self._realms.complete(actor, realm, enable=is_enabled)
        return _report(realm, exported, lines, done.sequence)

    async def _rehearse(self, actor: Actor, exported: ExportedRealm, pace: Pace) -> ImportReport:
        async with self._store.read() as reading:
            realm = await self._realms.prepare(reading, actor, exported.settings, is_import=True)
        lines: list[ImportedClient] = []
        async for batch in pace.batches(exported.clients):
            lines += await self._imports.rehearse(actor, CREATE_REALM, realm, batch, IfExists.FAIL)
        return _report(realm, exported, lines, None)

    async def _into(
        self,
        actor: Actor,
        realm: Realm,
        exported: ExportedRealm,
        if_exists: IfExists,
        *,
        dry_run: bool,
        pace: Pace,
    ) -> ImportReport:
        action, notes, sequence = Action.SKIPPED, list(exported.notes), None
        if if_exists is IfExists.OVERWRITE and exported.has_settings:
            action = Action.OVERWRITTEN
            settings = {key: value for key, value in exported.settings.items() if key not in ("id", "realm")}
            after = self._realms.prepare_update(actor, realm, settings)
            if not dry_run and after != realm:
                sequence = (await self._realms.update(RealmTarget(actor, realm.name), settings)).sequence
        elif exported.has_settings:
            notes = ["it already exists: its settings are left unchanged"]
        report = await self._imports.run_with(
            actor,
            realm.name,
            exported.clients,
            if_exists=if_exists,
            dry_run=dry_run,
            pace=pace,
            export=exported.settings,
        )
        line = ImportedRealm(realm.name, action, realm.id, tuple(notes))
        return ImportReport(dry_run, report.clients, report.sequence or sequence, line)


def _of_continued(if_exists: IfExists) -> IfExists:
    """Return what to do with the clients that an unfinished realm already has."""
    return IfExists.OVERWRITE if if_exists is IfExists.OVERWRITE else IfExists.SKIP


def _renamed(exported: ExportedRealm, name: str) -> ExportedRealm:
    return ExportedRealm(name, {**exported.settings, "realm": name}, exported.notes, exported.clients)


def _report(
    realm: Realm, exported: ExportedRealm, lines: list[ImportedClient], sequence: int | None
) -> ImportReport:
    notes = list(exported.notes)
    if exported.settings.get("id") not in (None, "", realm.id):
        notes.append(f"it has a new id: {exported.settings['id']} is or was that of another realm")
    line = ImportedRealm(realm.name, Action.ADDED, realm.id, tuple(notes))
    return ImportReport(sequence is None, tuple(lines), sequence, line)


def _not_created(refused: Mapping[str, str]) -> str:
    named = [f"client {client_id[:100]}: {reason}" for client_id, reason in refused.items()]
    more = f"; and {len(named) - _NAMED_IN_ERROR} more" if len(named) > _NAMED_IN_ERROR else ""
    return f"the realm was not created: {'; '.join(named[:_NAMED_IN_ERROR])}{more}"
