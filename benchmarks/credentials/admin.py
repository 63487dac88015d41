"""The admin API over real HTTP: changes a second, and how long a change or a search takes among many clients.

The service has one core for itself; load, Redis and PostgreSQL share the other one. Every call is
authenticated, every change is committed durably with its event, and at the end the log must have grown by
exactly the changes that were answered, and the stream be at its head. Not in the figures: TLS, and the time a
change takes to reach the verifiers (``benchmarks.propagation``).

    python -m benchmarks.credentials.admin --database postgresql --clients 1000
    python -m benchmarks.credentials.admin --database sqlite --clients 1000000

A million clients take some minutes to fill; with ``--given`` the database that KEYTURN_DATABASE_URL,
KEYTURN_ENCRYPTION_KEYS and KEYTURN_FLEET_KEYS name is used, which ``benchmarks.credentials.filling`` filled.
"""

import argparse
import asyncio
import itertools
import json
import random
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

import uvloop
from pydantic import AnyHttpUrl, SecretStr

from benchmarks import provenance
from benchmarks.credentials.service import BenchmarkedService
from benchmarks.results import Figure, figure
from benchmarks.verifier.load import LoadResult, load
from keyturn_credentials.settings import CredentialsSettings
from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET, BASE_URL
from tests.testkit.client_population import REALM, client_id_of, representation_of, team_of

_CHANGED_CLIENTS = 500
_GOOD = {200, 201, 204}


class Measured(NamedTuple):
    """``processor_us``: time of its core that the service took per call, including the relay; other programs
    on the machine disturb it least."""

    load: LoadResult
    processor_us: float


class Calls:
    """Endless requests of each kind."""

    def __init__(self, service: BenchmarkedService, clients: int) -> None:
        self._service = service
        self._clients = clients
        self._random = random.Random(1)
        self._run = uuid.uuid4().hex[:8]

    def uuids(self) -> list[str]:
        """Return clients from all over the realm, read before the measurement."""
        found = []
        for _ in range(_CHANGED_CLIENTS // 100):
            number = self._random.randrange(self._clients)
            path = f"/{REALM}/clients?max=100&search=true&clientId={team_of(number)}"
            found += [client["id"] for client in json.loads(self._get(path))]
        return found

    def create(self) -> Iterator[bytes]:
        for number in itertools.count():
            body = {"clientId": f"{team_of(number)}-{self._run}-{number}", "attributes": {"run": self._run}}
            yield self._service.request("POST", f"/{REALM}/clients", json.dumps(body).encode())

    def regenerate(self, uuids: list[str]) -> Iterator[bytes]:
        for client in itertools.cycle(uuids):
            yield self._service.request("POST", f"/{REALM}/clients/{client}/client-secret")

    def update(self, uuids: list[str]) -> Iterator[bytes]:
        for number, client in enumerate(itertools.cycle(uuids)):
            body = {"attributes": {"run": f"{self._run}-{number}"}}
            yield self._service.request("PUT", f"/{REALM}/clients/{client}", json.dumps(body).encode())

    def page(self) -> Iterator[bytes]:
        while True:
            yield self._search("first=0&max=100")

    def page_within(self, share: float) -> Iterator[bytes]:
        while True:
            yield self._search(f"first={int(self._clients * share)}&max=100")

    def page_to_the_end(self) -> Iterator[bytes]:
        while True:
            yield self._search(f"first={max(0, self._clients - 100)}&max=100")

    def exact(self) -> Iterator[bytes]:
        while True:
            yield self._search(f"max=20&clientId={client_id_of(self._number())}")

    def part(self) -> Iterator[bytes]:
        """Yield the digits at the end: one client has them, or a few."""
        while True:
            yield self._search(f"max=20&search=true&clientId={client_id_of(self._number())[-6:]}")

    def common_part(self) -> Iterator[bytes]:
        """Yield the name of a team: every fortieth client has it, at one place in the order."""
        while True:
            yield self._search(f"max=20&search=true&clientId={team_of(self._number())}")

    def no_part(self) -> Iterator[bytes]:
        while True:
            yield self._search(f"max=20&search=true&clientId=no-such-{self._number()}")

    def two_characters_of_none(self) -> Iterator[bytes]:
        """Yield two characters that no team, role or number has."""
        while True:
            yield self._search("max=20&search=true&clientId=qz")

    def attribute(self) -> Iterator[bytes]:
        while True:
            yield self._search(f"max=20&q=team:{quote(team_of(self._number()))}")

    def attributes_together(self) -> Iterator[bytes]:
        """Every fortieth client is of the team; one in a thousand has its contact."""
        while True:
            number = self._number()
            contact = representation_of(number)["attributes"]["contact"]
            yield self._search(f"max=20&q={quote(f'team:{team_of(number)} contact:{contact}')}")

    def _number(self) -> int:
        return self._random.randrange(self._clients)

    def _search(self, query: str) -> bytes:
        return self._service.request("GET", f"/{REALM}/clients?{query}")

    def _get(self, path: str) -> bytes:
        url = f"http://127.0.0.1:{self._service.port}/admin/realms{path}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self._service.token}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return bytes(answer.read())


async def measure(
    service: BenchmarkedService, clients: int, *, seconds: float, connections: int
) -> dict[str, Measured]:
    calls = Calls(service, clients)
    uuids = await asyncio.to_thread(calls.uuids)
    at_once = {
        "create": calls.create(),
        "update": calls.update(uuids),
        "regenerate the secret": calls.regenerate(uuids),
    }
    alone = {
        "change of one client": calls.regenerate(uuids),
        "first page of 100": calls.page(),
        "page of 100 from the middle": calls.page_within(0.5),
        "page of 100 from the end": calls.page_to_the_end(),
        "exact id": calls.exact(),
        "part of an id that few have": calls.part(),
        "part of an id that many have": calls.common_part(),
        "part of an id that none has": calls.no_part(),
        "two characters that none has": calls.two_characters_of_none(),
        "attribute that many have": calls.attribute(),
        "two attributes, one that few have": calls.attributes_together(),
    }
    results: dict[str, Measured] = {}
    before = await service.until_relayed()
    changes = 0
    await load(service.port, calls.regenerate(uuids), seconds=1.0, connections=1)  # to warm up
    before = await service.until_relayed()
    kinds = [(f"{name}, {connections} callers", each, connections) for name, each in at_once.items()]
    kinds += [(name, each, 1) for name, each in alone.items()]
    for name, requests, callers in kinds:
        used = service.processor_seconds()
        result = await load(service.port, requests, seconds=seconds, connections=callers)
        used = service.processor_seconds() - used
        results[name] = Measured(result, 1e6 * used / sum(result.statuses.values()))
    for name, (result, _) in results.items():
        if set(result.statuses) - _GOOD:
            raise AssertionError(f"{name}: answers {result.statuses}")
        if any(kind in name for kind in ("create", "update", "regenerate", "change")):
            changes += sum(result.statuses.values())
    after = await service.until_relayed()
    if after - before != changes:
        raise AssertionError(f"{changes} changes were answered, the stream has {after - before} more events")
    return results


def show(results: dict[str, Measured]) -> None:
    for name, (result, processor_us) in results.items():
        print(
            f"  {name:34} {result.per_second:7.0f}/s  p50 {result.p50:7.2f} ms  p99 {result.p99:7.2f} ms"
            f"  {processor_us:7.0f} µs of its core",
            flush=True,
        )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each kind of call")
    parser.add_argument("--callers", type=int, default=20, help="at once, where there are several")
    parser.add_argument("--given", action="store_true", help="use the database of the environment")
    provenance.add_option(parser)
    chosen = parser.parse_args()
    before = provenance.busy_before()
    given: Any = None
    if chosen.given:
        given = CredentialsSettings(  # type: ignore[call-arg]  # the rest is read from the environment
            public_url=AnyHttpUrl(BASE_URL),
            bootstrap_admin_client_id=ADMIN_ID,
            bootstrap_admin_client_secret=SecretStr(ADMIN_SECRET),
        )
    service = BenchmarkedService()
    try:
        uvloop.run(service.start(chosen.database, chosen.clients, given=given))
        print(f"{chosen.clients} clients on {chosen.database}", flush=True)
        measuring = measure(service, chosen.clients, seconds=chosen.seconds, connections=chosen.callers)
        results = uvloop.run(measuring)
        show(results)
    finally:
        service.close()
    provenance.hand_over(
        chosen.results,
        f"admin_{chosen.database}",
        figures(results),
        excluded=("TLS", "the way to the nodes"),
        programs=("uvloop", "Redis", "SQLite" if chosen.database == "sqlite" else "PostgreSQL"),
        busy=before,
    )
    return 0


def figures(results: dict[str, Measured]) -> list[Figure]:
    """Return rate and processor time of each kind of call. They are compared with nothing: see the time that
    verifying one signature takes for the speed of the machine."""
    found = []
    for name, (result, processor_us) in results.items():
        found.append(figure(name, "service", "1/s", [result.per_second], p50=[result.p50], p99=[result.p99]))
        found.append(figure(f"{name}, processor time", "service", "µs", [processor_us]))
    return found


if __name__ == "__main__":
    sys.exit(main())
