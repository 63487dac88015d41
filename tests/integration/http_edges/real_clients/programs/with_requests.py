"""Python: requests."""

from typing import Any

import requests

from tests.integration.http_edges.real_clients.programs.script import Answer, Auth, main

session = requests.Session()


async def call(method: str, url: str, fields: dict[str, str], auth: Auth | None, body: Any) -> Answer:
    answer = session.request(method, url, headers=fields, auth=auth, data=body, timeout=60)
    return Answer(answer.status_code, answer.headers, answer.content)


if __name__ == "__main__":
    main(call)
