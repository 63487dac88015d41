"""A new realm together with its clients: what Keycloak does with a whole realm export."""

from collections.abc import Mapping
from typing import Any, Final

from keyturn_credentials.domain.export_reading import ExportedClient, read_export
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.operations.importing import (
    Action,
    DryRunEndedError,
    IfExists,
    ImportedClient,
    ImportOperations,
    ImportReport,
)
from keyturn_credentials.operations.realms import RealmOperations
from keyturn_credentials.operations.recording import Done
from keyturn_credentials.store.transaction import Actor, Store

MAX_CLIENTS: Final = 1000
"""All are written in one transaction, during which nobody else can write. More go by partial import."""
_NAMED_IN_ERROR: Final = 5


class RealmImportOperations:
    """Raises as ``ClientOperations``."""

    def __init__(self, store: Store, realms: RealmOperations, imports: ImportOperations) -> None:
        self._store = store
        self._realms = realms
        self._imports = imports

    async def create(self, actor: Actor, representation: Mapping[str, Any]) -> Done[Realm]:
        """The realm with the ``clients`` of the representation, all or nothing.

        The answer has no room for a report, so a client that cannot be taken over is an error. Those that
        Keycloak makes for itself are left out.
        """
        if not representation.get("clients"):
            return await self._realms.create(actor, representation)
        exported = [client for client in read_export(representation) if not client.is_keycloaks_own]
        _refuse_what_cannot_be(exported)
        async with self._store.change(actor) as transaction:
            realm, sequence = await self._realms.create_in(transaction, representation)
            lines = await self._imports.run_in(transaction, actor, realm, exported, IfExists.FAIL)
            refused = [line for line in lines if line.action is Action.REFUSED]
            if refused:
                raise InvalidRequestError(f"no realm was made: {_named(refused)}")
        return Done(transaction.sequence or sequence, realm)

    async def rehearse(self, actor: Actor, name: str, export: Mapping[str, Any]) -> ImportReport:
        """What importing into a realm that is not there yet would do. Nothing is written."""
        exported = read_export(export)
        try:
            async with self._store.change(actor) as transaction:
                realm, _ = await self._realms.create_in(transaction, {"realm": name})
                lines = await self._imports.run_in(transaction, actor, realm, exported, IfExists.FAIL)
                raise DryRunEndedError
        except DryRunEndedError:
            return ImportReport(True, tuple(lines))


def _refuse_what_cannot_be(exported: list[ExportedClient]) -> None:
    if len(exported) > MAX_CLIENTS:
        raise InvalidRequestError(
            f"a realm is made with at most {MAX_CLIENTS} clients; import the others with partialImport"
        )


def _named(refused: list[ImportedClient]) -> str:
    named = "; ".join(
        f"client {line.client_id[:100]}: {', '.join(line.notes)}" for line in refused[:_NAMED_IN_ERROR]
    )
    return named if len(refused) <= _NAMED_IN_ERROR else f"{named}; and {len(refused) - _NAMED_IN_ERROR} more"
