"""Plan of an import: a change or a refusal for each client. Nothing is written."""

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from keyturn_credentials.domain import import_notes
from keyturn_credentials.domain.attributes import ACCESS_TOKEN_ALG
from keyturn_credentials.domain.client import Client, check_client, end_tokens
from keyturn_credentials.domain.client_keys import check_revoked, keys_of
from keyturn_credentials.domain.export_reading import ExportedClient
from keyturn_credentials.domain.given_roles import with_role_ids
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.representation import change_client, client_from
from keyturn_credentials.domain.secrets import ClientSecrets, cap_expiry, check_chosen, with_known_times
from keyturn_credentials.domain.service_account import without_foreign_id
from keyturn_credentials.domain.signing_secrets import check_signing_secret
from keyturn_credentials.domain.token_algs import check_token_alg
from keyturn_credentials.domain.trusted_issuer_changes import check_identity
from keyturn_credentials.errors import CredentialsError, InvalidRequestError
from keyturn_credentials.operations.changes import Change, ClientChange
from keyturn_credentials.operations.clients import ids_in_memory_since
from keyturn_credentials.operations.import_report import Action, ImportedClient
from keyturn_credentials.operations.secret_issuer import SecretIssuer
from keyturn_credentials.store.former_ids import deleted_since
from keyturn_credentials.store.unit_of_work import Reading, UnitOfWork
from keyturn_shared.events import ClientCreated, ClientUpdated
from keyturn_shared.secret import Secret

_ACCOUNTS: Final = "serviceAccountsEnabled"
PlannedChange = tuple[Client | None, ClientChange[None]]
May = Callable[[Iterable[Client]], None]
"""Raises ForbiddenError for clients that the importer may not change."""


class IfExists(StrEnum):
    """Keycloak's ``ifResourceExists``."""

    FAIL = "FAIL"
    SKIP = "SKIP"
    OVERWRITE = "OVERWRITE"


@dataclass(frozen=True, slots=True)
class Destination:
    """Realm that the clients are imported into. ``is_new``: the import creates it, with its policy."""

    realm: Realm
    may: May
    if_exists: IfExists
    now: float
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """``lines``: the report, in the order of the export. ``changes``: still to be written."""

    lines: list[ImportedClient]
    changes: list[PlannedChange]


@dataclass(frozen=True, slots=True)
class _Known:
    """Existing clients by client id, and ids that a new client cannot have. ``accounts``: UUIDs of clients by
    the ids of their service accounts."""

    clients: Mapping[str, Client]
    taken: Collection[str]
    accounts: Mapping[str, str]


class ImportPlanner:
    """Plans imports. Raises StoreUnavailableError; errors of single clients are in their report lines."""

    def __init__(self, secrets: SecretIssuer) -> None:
        self._secrets = secrets

    async def plan(
        self, database: UnitOfWork | Reading, to: Destination, batch: Sequence[ExportedClient]
    ) -> Plan:
        """Plan a batch. ``database``: a transaction that locks existing clients, or a view for a dry run."""
        known = await _look_up(database, to, batch)
        plan = Plan([], [])
        for exported in batch:
            before = known.clients.get(exported.client_id)
            if exported.refused is not None:
                plan.lines.append(ImportedClient.of(exported, Action.REFUSED, notes=(exported.refused,)))
            elif before is not None and to.if_exists is not IfExists.OVERWRITE:
                exists = ("a client with this id already exists",)
                plan.lines.append(ImportedClient.of(exported, Action.SKIPPED, before.uuid, exists))
            else:
                try:
                    after, notes = self._plan_client(to, known, exported, before)
                except CredentialsError as error:
                    plan.lines.append(ImportedClient.of(exported, Action.REFUSED, notes=(error.detail,)))
                    continue
                action = Action.ADDED if before is None else Action.OVERWRITTEN
                plan.lines.append(ImportedClient.of(exported, action, after.uuid, (*exported.notes, *notes)))
                if before is not None and replace(after, version=before.version) == before:
                    continue  # it already is as in the export
                event = ClientCreated if before is None else ClientUpdated
                change = Change(after=after, event=event, value=None, details={"reason": "import"})
                plan.changes.append((before, change))
        return plan

    def _plan_client(
        self, to: Destination, known: _Known, exported: ExportedClient, before: Client | None
    ) -> tuple[Client, list[str]]:
        wanted, notes = _wanted(to, known, exported, before)
        wanted, left_out = _without_foreign_alg(before, wanted, to.realm)
        notes += left_out
        after = self._with_secrets(to, exported, before, wanted)
        if exported.no_secret is not None and after.needs_secret:
            made = before is None or before.secrets.current is None
            notes.append(
                f"{exported.no_secret}: {'a new one was generated' if made else 'it stays as it was'}"
            )
        # Keys revoked on either side stay revoked.
        revoked = {**exported.revoked_keys, **after.revoked_keys}
        check_revoked({} if before is None else before.revoked_keys, revoked, own=True)
        after = replace(after, revoked_keys=revoked)
        if exported.service_account is not None:
            taken = [each for each, uuid in known.accounts.items() if uuid != after.uuid]
            account, without_id = without_foreign_id(exported.service_account, taken)
            if account.id is None and before is not None:
                account = replace(account, id=before.service_account.id)
            notes += without_id
            after = replace(after, service_account=with_role_ids(to.realm, account))
        check_client(after)
        check_identity(after, to.realm)
        check_signing_secret(before, after)
        keys = keys_of(after)
        notes += keys.notes
        notes += import_notes.of_client(to.realm, after, keys)
        to.may([each for each in (before, after) if each is not None])
        return after, notes

    def _with_secrets(
        self, to: Destination, exported: ExportedClient, before: Client | None, wanted: Client
    ) -> Client:
        """Return the client with the export's secrets, which expire no later than in the export."""
        chosen = _chosen(exported)
        if before is None:
            after, _ = self._secrets.give_first(wanted, to.realm, chosen, to.now)
        else:
            after = self._secrets.change(wanted, to.realm, chosen, to.now)
        if chosen is not None and (before is None or self._secrets.is_same(after, chosen)):
            after = replace(after, secrets=_with_exported_times(after.secrets, to, exported, before))
        if exported.rotated is not None and exported.rotated[1] > to.now:
            former, expires_at = exported.rotated
            created_at = min(exported.rotated_created_at or to.now, to.now)
            stored = self._secrets.store(after, to.realm, former, created_at)
            rotated = replace(stored, expires_at=expires_at)
            after = replace(after, secrets=replace(after.secrets, rotated=rotated))
        return after


async def _look_up(
    database: UnitOfWork | Reading, to: Destination, batch: Sequence[ExportedClient]
) -> _Known:
    able = [exported for exported in batch if exported.refused is None]
    ids = [exported.client_id for exported in able]
    if not ids:
        return _Known({}, (), {})
    if isinstance(database, UnitOfWork):
        found = await database.clients.some_for_change(to.realm.id, ids)
    else:
        found = await database.clients.some(to.realm.id, ids)
    uuids = [chosen for each in able if isinstance(chosen := each.representation.get("id"), str) and chosen]
    taken: set[str] = set()
    if uuids:
        taken = await database.clients.taken(uuids)
        since = ids_in_memory_since(to.now)
        taken |= await deleted_since(database.connection, to.realm.id, uuids, since)
    named = [each.service_account.id for each in able if each.service_account is not None]
    accounts = await database.clients.role_mappings.owners_of_accounts(
        to.realm.id, [each for each in named if each is not None]
    )
    return _Known({client.client_id: client for client in found}, taken, accounts)


def _wanted(
    to: Destination, known: _Known, exported: ExportedClient, before: Client | None
) -> tuple[Client, list[str]]:
    """Return the client after the import, without its secrets."""
    representation = exported.representation
    members = {name: value for name, value in representation.items() if name != "id"}
    if before is not None:
        changed = replace(change_client(before, members), version=before.version + 1)
        return end_tokens(before, changed, to.now), []
    if members.get(_ACCOUNTS) is None:
        members[_ACCOUNTS] = False  # Keycloak's default, which differs from that of the admin API
    new = client_from(members, uuid=str(uuid.uuid4()), realm_id=to.realm.id)
    chosen = representation.get("id")
    if chosen and chosen in known.taken:
        return new, [f"it has a new id: {chosen} is or was that of another client"]
    return replace(new, uuid=chosen or new.uuid), []


def _with_exported_times(
    secrets: ClientSecrets, to: Destination, exported: ExportedClient, before: Client | None
) -> ClientSecrets:
    """Return the secrets with the creation time of the export, expiring no later than in the export."""
    if before is None:
        is_unending = to.is_new and exported.created_at is not None and exported.expires_at is None
        secrets = with_known_times(
            secrets, created_at=exported.created_at, now=to.now, is_unending=is_unending
        )
    return secrets if exported.expires_at is None else cap_expiry(secrets, exported.expires_at)


def _chosen(exported: ExportedClient) -> Secret | None:
    text = exported.representation.get("secret")
    if text is not None and not isinstance(text, str):
        raise InvalidRequestError("secret must be a string")
    return check_chosen(text) if text else None


def _without_foreign_alg(before: Client | None, wanted: Client, realm: Realm) -> tuple[Client, list[str]]:
    """Return the client without a token algorithm that its realm does not use, and a note about it."""
    try:
        check_token_alg(before, wanted, realm)
    except InvalidRequestError as error:
        others: dict[str, Any] = {
            name: text for name, text in wanted.attributes.items() if name != ACCESS_TOKEN_ALG
        }
        return replace(wanted, attributes=others), [f"left out: {error.detail}"]
    return wanted, []
