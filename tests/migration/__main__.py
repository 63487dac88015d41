"""``make migrate-proof``: moves the clients of a real Keycloak to a local stack, compares and uses them.

Needs a JDK (17 or newer) and Maven, which downloads Keycloak. Prints how long each step took; ends with 1 if
a client differs without an explanation, or is not in use at the end.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from keyturn.migrate.compare.credentials import Keys, NoCredentialError, credential_of
from keyturn.migrate.compare.differences import Granted
from keyturn.migrate.compare.side import Side
from keyturn.migrate.keycloak import Administrator, Keycloak
from keyturn.migrate.realm_reader import read_keycloak
from keyturn_credentials.domain.export_reading import ExportedClient, read_realm
from keyturn_shared.secret import Secret
from tests.migration.estate import MIGRATION_CLIENT, REALM, ROLES_OF, Estate, make_estate
from tests.testkit.keycloak import VERSION, RunningKeycloak
from tests.testkit.local_stack import RunningStack

_COMMAND_SECONDS: Final = 1800.0
_FAILURES: Final = "1000000"
"""Refused clients of the estate count as failed authentications of one address."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="migrate-proof", description=__doc__)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--report", type=Path, help="directory for the report of the comparison")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="keyturn-migrate-") as name:
        directory = Path(name)
        keys = directory / "client-keys"
        keys.mkdir()
        with (
            RunningKeycloak(directory) as keycloak,
            RunningStack(directory / "stack", KEYTURN_FAILURE_LIMIT_ADDRESS=_FAILURES) as stack,
        ):
            with _timed(f"Keycloak {VERSION}: {chosen.clients:,} clients created"):
                estate = make_estate(keycloak, chosen.clients, keys)
            stack.start()
            return _prove(estate, keycloak.base_url, stack, keys, chosen.report or directory / "report")


def _prove(estate: Estate, keycloak: str, stack: RunningStack, keys: Path, report: Path) -> int:
    def migrate(command: str, *options: str) -> tuple[int, Any]:
        arguments = [command, keycloak, "--realm", REALM, *options, "--json"]
        ended = subprocess.run(
            [sys.executable, "-m", "keyturn", "migrate", *arguments],
            env={**os.environ, "KEYTURN_MIGRATE_ADMIN_SECRET": estate.admin_secret},
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        assert ended.returncode in (0, 1), ended.stderr
        return ended.returncode, json.loads(ended.stdout)

    begun = time.monotonic()
    data = ("--data-dir", str(stack.data))
    with _timed("planned"):
        planned = migrate("plan", *data)[1]["realms"][0]
    with _timed("moved"):
        code, moved = migrate("apply", *data)
    _show("outcomes", moved["realms"][0]["counts"])
    _show_notes(moved["realms"][0])
    assert moved["realms"][0]["counts"] == planned["counts"]
    with _timed("moved again, which changes nothing"):
        again = migrate("apply", *data)[1]["realms"][0]["counts"]
    assert (again["unchanged"], again["changed"]) == (0, 0)
    with _timed("compared"):
        where = ("--keyturn-url", stack.base_url, "--keys", str(keys), "--report", str(report))
        differ, compared = migrate("compare", *where, "--introspect-as", ROLES_OF)
    counts = compared["counts"]
    _show("comparison", counts)
    for each in compared["differences"]:
        values = f"{each['keycloak']} → {each['keyturn']}"
        sys.stdout.write(
            f"  {each['class']:<12}{each['clients']:>6,}  {each['where']}: {each['name']}: {values}\n"
        )
    with _timed("tokens from every node, verified"):
        used = asyncio.run(_use(estate, keycloak, stack.node_urls, keys))
    sys.stdout.write(
        f"{used:,} of {estate.granted:,} clients in use; {time.monotonic() - begun:.0f} s in all,"
        f" {counts['unexplained']} unexplained differences, {counts['failed']} failures\n"
    )
    as_made = (counts["tokensOfBoth"], counts["notCompared"]) == (estate.granted, estate.without)
    return 0 if (code, differ, used) == (0, 0, estate.granted) and as_made else 1


async def _use(estate: Estate, url: str, nodes: list[str], keys_directory: Path) -> int:
    """Get a token for each client from each node, and have another node verify it. Return the number of
    clients for which all of that worked."""
    source = Keycloak(url, Administrator(MIGRATION_CLIENT, Secret(estate.admin_secret)))
    try:
        clients = read_realm(await read_keycloak(source, REALM)).clients
    finally:
        await source.close()
    keys = Keys(keys_directory)
    sides = [Side(node, node, REALM, seconds=30) for node in nodes]
    good = {client.client_id for client in clients if not client.is_keycloaks_own}
    for side in sides:
        async with side:
            waiting = iter([client for client in clients if client.client_id in good])

            async def work(side: Side, waiting: Iterator[ExportedClient]) -> None:
                for client in waiting:
                    if not await _is_in_use(client, side, keys):
                        good.discard(client.client_id)

            async with asyncio.TaskGroup() as group:
                for _ in range(8):
                    group.create_task(work(side, waiting))
    return len(good)


async def _is_in_use(client: ExportedClient, side: Side, keys: Keys) -> bool:
    try:
        granted = await side.ask(credential_of(client, keys), None)
    except NoCredentialError:
        return False
    return (
        isinstance(granted, Granted)
        and granted.signature is None
        and granted.introspection is not None
        and granted.introspection.get("active") is True
    )


@contextmanager
def _timed(what: str) -> Iterator[None]:
    begun = time.monotonic()
    yield
    sys.stdout.write(f"{time.monotonic() - begun:7.1f} s  {what}\n")
    sys.stdout.flush()


def _show(what: str, counts: Mapping[str, int]) -> None:
    sys.stdout.write(f"  {what}: {', '.join(f'{name} {count:,}' for name, count in counts.items())}\n")


def _show_notes(realm: Mapping[str, Any]) -> None:
    reasons = {note["reason"] for client in realm["clients"] for note in client["notes"]}
    for reason in sorted(reasons | {note["reason"] for note in realm["realmNotes"]}):
        sys.stdout.write(f"  note: {reason}\n")


if __name__ == "__main__":
    sys.exit(main())
