"""A campaign over many clients, and what other callers of the admin API see meanwhile.

The credentials service has one core for itself; ``keyturn rotate``, a caller and Redis share the other one.
The caller sends one request after the other, a change and a search in turn, as it does before. No nodes.

    python -m benchmarks.rotations.campaign --clients 10000
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from benchmarks.credentials.importing import show, watch
from benchmarks.credentials.service import LOAD_CORE, BenchmarkedService
from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET
from tests.testkit.client_population import REALM

_BEFORE_SECONDS: Final = 5.0
_LATER: Final = 1
"""Seconds; the clients were made just now."""


async def run(database: str, clients: int, rate: float) -> None:
    service = BenchmarkedService()
    try:
        await service.start(database, clients)
        ended = asyncio.Event()
        asyncio.get_running_loop().call_later(_BEFORE_SECONDS, ended.set)
        show("before", await watch(service, ended))
        program = _signed_in(service)
        ended = asyncio.Event()
        watching = asyncio.create_task(watch(service, ended))
        begun, used = time.perf_counter(), service.processor_seconds()
        command = ["rotate", "--realm", REALM, "--rate", str(rate), "--yes", "--created-before"]
        await asyncio.to_thread(program, *command, str(int(time.time()) + _LATER))
        took = time.perf_counter() - begun
        ended.set()
        show("meanwhile", await watching)
        core = service.processor_seconds() - used
        print(
            f"{clients:,} clients: {took:.1f} s, {clients / took:.0f}/s; {core:.1f} s of the service's core"
        )
    finally:
        service.close()


class _Program:
    """The command line, signed in as the administrator."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def __call__(self, *words: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "keyturn", *words],
            env=os.environ | {"XDG_CONFIG_HOME": str(self._directory)},
            check=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {LOAD_CORE}),
        )


def _signed_in(service: BenchmarkedService) -> _Program:
    program, secret = _Program(service.directory), service.directory / "secret"
    secret.write_text(ADMIN_SECRET)
    secret.chmod(0o600)
    url = f"http://127.0.0.1:{service.port}"
    program("login", url, "--client-id", ADMIN_ID, "--secret-file", str(secret), "--realm", "master")
    return program


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--clients", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=1000, help="rotations to begin a second, at most")
    chosen = parser.parse_args()
    asyncio.run(run(chosen.database, chosen.clients, chosen.rate))
    return 0


if __name__ == "__main__":
    sys.exit(main())
