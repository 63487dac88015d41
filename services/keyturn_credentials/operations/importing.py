"""Taking over the clients of a Keycloak realm export."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from keyturn_credentials.domain.client import Client, check_client
from keyturn_credentials.domain.client_keys import keys_of
from keyturn_credentials.domain.export_reading import ExportedClient, read_export
from keyturn_credentials.domain.projecting import Projector
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.representation import change_client, client_from
from keyturn_credentials.domain.secrets import check_chosen, no_longer_than
from keyturn_credentials.errors import ConflictError, CredentialsError, InvalidRequestError
from keyturn_credentials.operations.recording import (
    record_client,
    require_power_over,
    require_realm,
    with_id_of_its_own,
)
from keyturn_credentials.operations.secret_making import SecretMaker
from keyturn_credentials.store.transaction import Actor, Store, Transaction
from keyturn_shared.events import ClientCreated, ClientUpdated

_BATCH: Final = 50


class IfExists(StrEnum):
    """Keycloak's ``ifResourceExists``."""

    FAIL = "FAIL"
    SKIP = "SKIP"
    OVERWRITE = "OVERWRITE"


class Action(StrEnum):
    """What became of one client."""

    ADDED = "ADDED"
    SKIPPED = "SKIPPED"
    OVERWRITTEN = "OVERWRITTEN"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class ImportedClient:
    """One line of the report."""

    client_id: str
    action: Action
    uuid: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportReport:
    """``sequence``: of the last event, None when nothing was written."""

    dry_run: bool
    clients: tuple[ImportedClient, ...]
    sequence: int | None = None

    def count(self, action: Action) -> int:
        return sum(client.action is action for client in self.clients)


@dataclass(frozen=True, slots=True)
class _Planned:
    exported: ExportedClient
    before: Client | None
    after: Client


class ImportOperations:
    """Everything is read and judged before anything is written. Raises as ``ClientOperations``."""

    def __init__(self, store: Store, projector: Projector, secrets: SecretMaker) -> None:
        self._store = store
        self._projector = projector
        self._secrets = secrets

    async def run(
        self,
        actor: Actor,
        realm_name: str,
        export: Mapping[str, Any],
        *,
        if_exists: IfExists = IfExists.FAIL,
        dry_run: bool = False,
    ) -> ImportReport:
        """Take the clients over, some at a time, so that other changes get their turn.

        With FAIL nothing is written when any client exists already: ConflictError. A client that cannot be
        taken over is refused in the report, and the others are taken over. A dry run reports the same.
        """
        exported = read_export(export)
        report: list[ImportedClient] = []
        sequence: int | None = None
        if if_exists is IfExists.FAIL:
            await self._require_none_exists(realm_name, exported)
        for batch in _in_batches(exported):
            try:
                async with self._store.change(actor) as transaction:
                    realm = require_realm(await transaction.realms.get(realm_name))
                    lines = await self.run_in(transaction, actor, realm, batch, if_exists)
                    if dry_run:
                        raise DryRunEndedError
                sequence = transaction.sequence or sequence
            except DryRunEndedError:
                pass
            report += lines
        return ImportReport(dry_run, tuple(report), sequence)

    async def run_in(
        self,
        transaction: Transaction,
        actor: Actor,
        realm: Realm,
        exported: Sequence[ExportedClient],
        if_exists: IfExists,
    ) -> list[ImportedClient]:
        """Take clients over in a transaction that does more; what became of each."""
        lines, planned = await self._plan(transaction, actor, realm, exported, if_exists)
        await self._write(transaction, planned)
        for one in planned:
            await record_client(
                transaction,
                self._projector,
                ClientCreated if one.before is None else ClientUpdated,
                realm,
                before=one.before,
                after=one.after,
                details={"reason": "import"},
            )
        return lines

    async def _require_none_exists(self, realm_name: str, exported: Sequence[ExportedClient]) -> None:
        async with self._store.read() as reading:
            realm = require_realm(await reading.realms.get(realm_name))
            for one in exported:
                if one.refused is None and await reading.clients.find(realm.id, one.client_id) is not None:
                    raise ConflictError(f"Client {one.client_id} already exists")

    async def _plan(
        self,
        transaction: Transaction,
        actor: Actor,
        realm: Realm,
        batch: Sequence[ExportedClient],
        if_exists: IfExists,
    ) -> tuple[list[ImportedClient], list[_Planned]]:
        lines: list[ImportedClient] = []
        planned: list[_Planned] = []
        for exported in batch:
            found = await transaction.clients.find(realm.id, exported.client_id)
            before = found and await transaction.clients.get_for_change(realm.id, found.uuid)
            if exported.refused is not None:
                lines.append(_line(exported, Action.REFUSED, notes=(exported.refused,)))
            elif before is not None and if_exists is not IfExists.OVERWRITE:
                lines.append(_line(exported, Action.SKIPPED, before.uuid, ("a client of this id exists",)))
            else:
                try:
                    wanted = await self._wanted(transaction, realm, exported, before)
                    after = self._judge(actor, realm, exported, before, wanted, transaction.now)
                except CredentialsError as error:
                    lines.append(_line(exported, Action.REFUSED, notes=(error.detail,)))
                    continue
                action = Action.ADDED if before is None else Action.OVERWRITTEN
                lines.append(_line(exported, action, after.uuid, exported.notes))
                planned.append(_Planned(exported, before, after))
        return lines, planned

    async def _wanted(
        self, transaction: Transaction, realm: Realm, exported: ExportedClient, before: Client | None
    ) -> Client:
        """The client as it is to be, secrets apart."""
        representation = exported.representation
        if before is None:
            new = client_from(representation, uuid=str(uuid.uuid4()), realm_id=realm.id)
            return await with_id_of_its_own(transaction, new, representation)
        members = {name: value for name, value in representation.items() if name != "id"}
        return replace(change_client(before, members), version=before.version + 1)

    def _judge(
        self,
        actor: Actor,
        realm: Realm,
        exported: ExportedClient,
        before: Client | None,
        wanted: Client,
        now: float,
    ) -> Client:
        text = exported.representation.get("secret")
        if text is not None and not isinstance(text, str):
            raise InvalidRequestError("secret is a string")
        chosen = check_chosen(text) if text else None
        if before is None:
            after, _ = self._secrets.give_first(wanted, realm, chosen, now)
        else:
            after = self._secrets.change(wanted, realm, chosen, now)
        ends = exported.expires_at
        if ends is not None and chosen is not None and self._secrets.is_same(after, chosen):
            after = replace(after, secrets=no_longer_than(after.secrets, ends))
        if exported.rotated is not None and exported.rotated[1] > now:
            former, expires_at = exported.rotated
            stored = replace(self._secrets.store(after, realm, former, now), expires_at=expires_at)
            after = replace(after, secrets=replace(after.secrets, rotated=stored))
        # What is revoked stays revoked, on both sides.
        after = replace(after, revoked_keys={**exported.revoked_keys, **after.revoked_keys})
        check_client(after)
        keys_of(after)
        require_power_over(actor.principal, realm, *filter(None, (before, after)))
        return after

    async def _write(self, transaction: Transaction, planned: Sequence[_Planned]) -> None:
        for one in planned:
            if one.before is None:
                await transaction.clients.insert(one.after)
            else:
                await transaction.clients.update(one.before, one.after)


class DryRunEndedError(Exception):
    """Rolls a dry run back."""


def _line(
    exported: ExportedClient, action: Action, client_uuid: str | None = None, notes: tuple[str, ...] = ()
) -> ImportedClient:
    return ImportedClient(exported.client_id, action, client_uuid, notes)


def _in_batches(exported: Sequence[ExportedClient]) -> list[Sequence[ExportedClient]]:
    return [exported[start : start + _BATCH] for start in range(0, len(exported), _BATCH)]
