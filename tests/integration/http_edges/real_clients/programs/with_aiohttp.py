"""Python: aiohttp."""

import asyncio
from typing import Any

import aiohttp

from tests.integration.http_edges.real_clients.programs.script import Answer, Auth, run


async def main() -> None:
    async with aiohttp.ClientSession() as session:

        async def call(method: str, url: str, fields: dict[str, str], auth: Auth | None, body: Any) -> Answer:
            basic = aiohttp.BasicAuth(*auth) if auth else None
            async with session.request(method, url, headers=fields, auth=basic, data=body) as answer:
                return Answer(answer.status, answer.headers, await answer.read())

        await run(call)


if __name__ == "__main__":
    asyncio.run(main())
