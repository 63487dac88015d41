"""curl, one process per call: ``python … CURL OPTION…``."""

import asyncio
import json
import subprocess
import sys
from typing import Any
from urllib.parse import urlencode

from tests.integration.http_edges.real_clients.programs.script import Answer, Auth, main


async def call(method: str, url: str, fields: dict[str, str], auth: Auth | None, body: Any) -> Answer:
    command = [*sys.argv[1:], "--silent", "--show-error", "--max-time", "60", "--request", method]
    for name, value in fields.items():
        command += ["--header", f"{name}: {value}"]
    command += ["--user", ":".join(auth)] if auth else []
    text = urlencode(body) if isinstance(body, dict) else body
    command += [] if text is None else ["--data", text]
    told = "\n%{json}\n%{header_json}"
    run = await asyncio.to_thread(
        subprocess.run, [*command, "--write-out", told, url], capture_output=True, check=True
    )
    answer, about, head = run.stdout.decode().split("\n{", 2)
    location = json.loads("{" + head).get("location", [""])[0]
    return Answer(json.loads("{" + about)["http_code"], {"Location": location}, answer.encode())


if __name__ == "__main__":
    main(call)
