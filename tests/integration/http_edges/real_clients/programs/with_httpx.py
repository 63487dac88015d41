"""Python: httpx."""

from typing import Any

import httpx

from tests.integration.http_edges.real_clients.programs.script import Answer, Auth, main

client = httpx.AsyncClient(timeout=60)


async def call(method: str, url: str, fields: dict[str, str], auth: Auth | None, body: Any) -> Answer:
    sent = {"data": body} if isinstance(body, dict) else {"content": body}
    answer = await client.request(method, url, headers=fields, auth=auth, **sent)
    return Answer(answer.status_code, answer.headers, answer.content)


if __name__ == "__main__":
    main(call)
