"""Comparison of acknowledged changes with the log, the stream and the state."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from keyturn_credentials.relay.event_log import LoggedEvent
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.event_log import DatabaseEventLog
from keyturn_shared.clock import SystemClock
from tests.durability.writers import Acknowledged, Writer, Written

_PAGE = 1000


async def read_log(settings: CredentialsSettings) -> list[LoggedEvent]:
    """Read the whole log."""
    database = Database(settings.database_url)
    log = DatabaseEventLog(database, SystemClock())
    found: list[LoggedEvent] = []
    try:
        while page := await log.read(len(found) + 1, _PAGE):
            found += page
    finally:
        await database.close()
    return found


def judge_log(log: Sequence[LoggedEvent], writers: Sequence[Writer]) -> list[str]:
    """Return the log's faults: gaps, acknowledged changes that are missing, repeated or out of order, and
    changes that no caller requested."""
    wrong = []
    if [event.sequence for event in log] != list(range(1, len(log) + 1)):
        wrong.append("the log has gaps")
    if len({event.id for event in log}) != len(log):
        wrong.append("the log has an event twice")
    events = [json.loads(event.payload) for event in log]
    written = [client for writer in writers for client in writer.written]
    taken = Counter(change.sequence for client in written for change in client.changes)
    wrong += [f"{sequence} was answered {times} times" for sequence, times in taken.items() if times > 1]
    for client in written:
        wrong += _judge_changes(client, events)
    counts = Counter(event.get("client_uuid") for event in events)
    for client in written:
        fewest = len(client.changes)
        if not fewest <= counts[client.uuid] <= fewest + client.unanswered:
            wrong.append(f"{client.client_id} has {counts[client.uuid]} events, not {fewest} or a few more")
    known = {client.uuid for client in written}
    strangers = {
        event["client_uuid"]
        for event in events
        if event["type"] == "client_created"
        and event["client_uuid"] not in known
        and event["client_id"].startswith("writer-")
    }
    if len(strangers) > sum(writer.unsettled_creations for writer in writers):
        wrong.append(f"{len(strangers)} clients were created that nobody asked for")
    return wrong + [refused for writer in writers for refused in writer.refused]


def _judge_changes(client: Written, events: Sequence[dict[str, Any]]) -> list[str]:
    wrong = []
    sequences = [change.sequence for change in client.changes]
    if sequences != sorted(sequences):
        wrong.append(f"{client.client_id}: answered in the order {sequences}")
    for change in client.changes:
        logged = events[change.sequence - 1] if change.sequence <= len(events) else None
        if logged is None or (logged["type"], logged.get("client_uuid")) != (change.type, client.uuid):
            wrong.append(f"{client.client_id}: {change} is not in the log, where there is {logged}")
    return wrong


def judge_stream(log: Sequence[LoggedEvent], entries: Sequence[tuple[int, int, bytes]]) -> list[str]:
    """Return the stream's faults: it must be one epoch, and equal the log from its beginning."""
    if len({epoch for epoch, _, _ in entries}) != 1:
        return [f"the stream has epochs {sorted({epoch for epoch, _, _ in entries})}"]
    first = entries[0][1]
    expected = [(event.sequence, bytes(event.payload)) for event in log if event.sequence > first]
    seen = [(sequence, payload) for _, sequence, payload in entries[1:]]
    if seen == expected:
        return []
    missing = sorted({each[0] for each in expected} - {each[0] for each in seen})
    return [f"the stream differs from the log: {len(seen)} of {len(expected)} events, missing {missing[:10]}"]


def judge_state(client: Written, shown: dict[str, Any] | None, secret: str | None, mark: str) -> list[str]:
    """Return the faults of a client as the service shows it at the end; None: it does not."""
    unsettled = {kind for kind, _ in client.unsettled}
    gone = client.changes[-1].type == "client_deleted"
    if shown is None:
        return [] if gone or "client_deleted" in unsettled else [f"{client.client_id} is lost"]
    if gone:
        return [f"{client.client_id} is back"]
    wrong = []
    marks = {value for kind, value in client.unsettled if kind == "client_updated"}
    if shown["attributes"].get(mark) not in marks | {_newest(client.changes, "client_updated")}:
        wrong.append(f"{client.client_id} has a mark that is not its newest")
    newest_secret = _newest(client.changes, "client_secret_rotated")
    if newest_secret not in (None, secret) and "client_secret_rotated" not in unsettled:
        wrong.append(f"{client.client_id} has another secret than the one shown last")
    return wrong


def _newest(changes: Sequence[Acknowledged], kind: str) -> str | None:
    return next((change.value for change in reversed(changes) if change.type == kind), None)
