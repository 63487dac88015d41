"""Report of an import: a line for the realm and one for each client."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from keyturn_credentials.domain.export_reading import ExportedClient


class Action(StrEnum):
    """Outcome for a realm or a client."""

    ADDED = "ADDED"
    SKIPPED = "SKIPPED"
    OVERWRITTEN = "OVERWRITTEN"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class ImportedRealm:
    """Outcome for the realm. SKIPPED: it existed, and its settings were left unchanged."""

    name: str
    action: Action
    id: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportedClient:
    """Outcome for one client."""

    client_id: str
    action: Action
    uuid: str | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        exported: ExportedClient,
        action: Action,
        uuid: str | None = None,
        notes: tuple[str, ...] = (),
    ) -> "ImportedClient":
        return cls(exported.client_id, action, uuid, notes)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """``sequence``: that of the last event, or None if nothing was written. ``realm``: None if the import
    covered only clients."""

    dry_run: bool
    clients: tuple[ImportedClient, ...]
    sequence: int | None = None
    realm: ImportedRealm | None = None

    def count(self, action: Action) -> int:
        return sum(client.action is action for client in self.clients)


def describe_report(report: ImportReport) -> dict[str, Any]:
    """Describe a report as Keycloak's PartialImportResults, with refusals and notes, and the realm if it was
    part of the import."""
    described: dict[str, Any] = {
        "dryRun": report.dry_run,
        "added": report.count(Action.ADDED),
        "overwritten": report.count(Action.OVERWRITTEN),
        "skipped": report.count(Action.SKIPPED),
        "refused": report.count(Action.REFUSED),
    }
    if report.realm is not None:
        described["realm"] = {
            "action": report.realm.action.value,
            "name": report.realm.name,
            "id": report.realm.id,
            "notes": list(report.realm.notes),
        }
    described["results"] = [
        {
            "action": client.action.value,
            "resourceType": "CLIENT",
            "resourceName": client.client_id,
            "id": client.uuid,
            "notes": list(client.notes),
        }
        for client in report.clients
    ]
    return described
