"""An import beside the running service: seconds of a core, and what callers of the service see meanwhile.

The service has one core for itself; the import, a caller and Redis share the other one. The caller asks one
request after the other, a change and a search in turn, as it does before the import. The clients are those of
a large Keycloak: secrets, key sets, roles, attributes.

    python -m benchmarks.credentials.importing --clients 100000
"""

import argparse
import asyncio
import itertools
import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx

from benchmarks.credentials.service import LOAD_CORE, BenchmarkedService
from keyturn_shared.jose.signing import SigningKey
from tests.testkit.client_population import REALM, representation_of
from tests.testkit.credentials_process import environment

_BEFORE_SECONDS: Final = 5.0
_KEY_EVERY: Final = 5
_ROLES: Final = ("read", "write")


class Seen(NamedTuple):
    """Answers of the service: statuses, and the milliseconds that each took."""

    statuses: Counter[int]
    changes: list[float]
    reads: list[float]


def export_of(clients: int) -> dict[str, Any]:
    """Return an export of Keycloak's with that many clients, every fifth with a key of its own."""
    keys = [SigningKey.generate("ES256").public_jwk for _ in range(50)]
    representations = []
    for number in range(clients):
        made = {
            **representation_of(number),
            "clientId": f"moved-{number}",
            "secret": f"the-secret-of-number-{number}-is-long-enough",
            "serviceAccountsEnabled": True,
        }
        made.pop("id", None)
        if number % _KEY_EVERY == 0:
            key_set = json.dumps({"keys": [keys[number // _KEY_EVERY % len(keys)]]})
            made["clientAuthenticatorType"] = "client-jwt"
            made["attributes"] = {
                **made.get("attributes", {}),
                "use.jwks.string": "true",
                "jwks.string": key_set,
            }
        representations.append(made)
    users = [
        {"serviceAccountClientId": f"moved-{number}", "realmRoles": [_ROLES[number % 2]]}
        for number in range(0, clients, 3)
    ]
    return {
        "realm": "moved",
        "enabled": True,
        "roles": {"realm": [{"name": name} for name in _ROLES]},
        "clients": representations,
        "users": users,
    }


async def watch(service: BenchmarkedService, until: asyncio.Event) -> Seen:
    """Ask the service until the event: a change and a search in turn."""
    seen = Seen(Counter(), [], [])
    headers = {"Authorization": f"Bearer {service.token}"}
    base = f"http://127.0.0.1:{service.port}/admin/realms/{REALM}/clients"
    async with httpx.AsyncClient(headers=headers, timeout=60, trust_env=False) as http:
        for number in itertools.count():
            if until.is_set():
                return seen
            begun = time.perf_counter()
            changed = await http.post(base, json={"clientId": f"beside-{time.time_ns()}-{number}"})
            changed_at = time.perf_counter()
            listed = await http.get(base, params={"max": "20"})
            seen.changes.append(1000 * (changed_at - begun))
            seen.reads.append(1000 * (time.perf_counter() - changed_at))
            seen.statuses.update((changed.status_code, listed.status_code))
            await asyncio.sleep(0.01)
    raise AssertionError("the numbers do not end")


async def run(database: str, clients: int) -> None:
    service = BenchmarkedService()
    try:
        await service.start(database, 1000)
        file = Path(service.directory) / "export.json"
        file.write_text(json.dumps(export_of(clients)))
        ended = asyncio.Event()
        asyncio.get_running_loop().call_later(_BEFORE_SECONDS, ended.set)
        show("before", await watch(service, ended))
        ended = asyncio.Event()
        watching = asyncio.create_task(watch(service, ended))
        begun, used = time.perf_counter(), _children()
        service_used = service.processor_seconds()
        await asyncio.to_thread(_import, service, file)
        took, used = time.perf_counter() - begun, _children() - used
        ended.set()
        show("meanwhile", await watching)
        await service.until_relayed()
        print(
            f"{clients:,} clients: {took:.1f} s, {used:.1f} s of one core for the command;"
            f" {service.processor_seconds() - service_used:.1f} s of the service's, until Redis has them all"
        )
    finally:
        service.close()


def show(when: str, seen: Seen) -> None:
    for kind, times in (("change", seen.changes), ("search", seen.reads)):
        ordered = sorted(times)
        print(
            f"  {when:10} {kind}: {len(ordered):6,} answers, p50 {_at(ordered, 0.5):7.1f} ms,"
            f" p99 {_at(ordered, 0.99):7.1f} ms, longest {ordered[-1]:7.1f} ms",
            flush=True,
        )
    print(f"  {when:10} statuses: {dict(sorted(seen.statuses.items()))}", flush=True)


def _import(service: BenchmarkedService, file: Path) -> None:
    command = [sys.executable, "-m", "keyturn", "import", str(file), "--only-problems"]
    subprocess.run(
        command,
        env=environment(service.settings, 0),
        stdout=subprocess.DEVNULL,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {LOAD_CORE}),
    )


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--clients", type=int, default=100_000)
    chosen = parser.parse_args()
    print(f"{chosen.database}, import of {chosen.clients:,} clients", flush=True)
    asyncio.run(run(chosen.database, chosen.clients))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
