"""A separate fetcher process that tests kill and freeze: ``python -m … REDIS_URL``."""

import asyncio
import sys

from tests.integration.key_sets.fleet import fleet_of


async def main(redis_url: str) -> None:
    async with fleet_of(1, redis_url):
        sys.stdout.write("polling\n")
        sys.stdout.flush()
        await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
