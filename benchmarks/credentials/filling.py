"""Fills a database with clients: many at a time, by the service's own code.

    KEYTURN_ENCRYPTION_KEYS=… KEYTURN_FLEET_KEYS=… KEYTURN_DATABASE_URL=sqlite+aiosqlite:///keyturn.db \\
        python -m benchmarks.credentials.filling --clients 1000000
"""

import argparse
import asyncio
import sys
import time

from keyturn_credentials.settings import CredentialsSettings
from tests.testkit.client_population import REALM
from tests.testkit.database_filling import fill


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=1_000_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first client")
    parser.add_argument("--realm", default=REALM)
    chosen = parser.parse_args()
    begun = time.perf_counter()

    def report(done: int) -> None:
        if done % 100_000 == 0:
            print(f"{done} clients after {time.perf_counter() - begun:.0f} s", flush=True)

    newest = asyncio.run(
        fill(
            CredentialsSettings(),  # type: ignore[call-arg]  # read from the environment
            chosen.clients,
            realm=chosen.realm,
            first=chosen.first,
            on_batch=report,
        )
    )
    print(f"{chosen.clients} clients in {time.perf_counter() - begun:.0f} s; newest sequence {newest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
