"""``make fuzz-admin``: schemathesis on the API description, and damaged archives and PEM files."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.fuzz_admin import api, uploads
from tests.fuzz_admin.service import running


async def fuzz(*, examples: int, count: int, number: int) -> None:
    """Raises AssertionError, or schemathesis' own failure, at the first forbidden answer."""
    directory = Path(tempfile.mkdtemp(prefix="keyturn-fuzz-"))
    async with running(directory) as service:
        print(f"seed {number}; logs in {directory}")
        described = await asyncio.to_thread(api.run, service, examples=examples, number=number)
        for label, statuses in sorted(described.statuses.items()):
            print(f"  {label}: {', '.join(f'{status} x {n}' for status, n in sorted(statuses.items()))}")
        print(f"{described.calls} calls of {len(described.statuses)} operations: no 5xx, nothing undescribed")
        sent = await asyncio.to_thread(uploads.run, service, count=count, number=number)
        print(sent.describe())


def main() -> int:
    parser = argparse.ArgumentParser(prog="fuzz_admin", description=__doc__)
    parser.add_argument("--examples", type=int, default=100, help="of each operation, valid and invalid each")
    parser.add_argument("--uploads", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    asyncio.run(fuzz(examples=chosen.examples, count=chosen.uploads, number=chosen.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
