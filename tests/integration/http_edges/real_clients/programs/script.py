"""The script of every Python program, with one function to make a call."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    status: int
    fields: Mapping[str, str]
    body: bytes

    @property
    def value(self) -> Any:
        return json.loads(self.body)


Auth = tuple[str, str]
Call = Callable[[str, str, dict[str, str], Auth | None, Any], Awaitable[Answer]]
"""Method, URL, fields, a name and a password for Basic, and a form (dict), JSON (str) or no body."""


async def run(call: Call) -> None:
    """Make the calls one after the other, and print the results."""
    token_url, admin_url = os.environ["TOKEN_URL"], os.environ["ADMIN_URL"]
    auth = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
    form = {"grant_type": "client_credentials"}
    granted = await call("POST", token_url, {}, auth, form)
    bearer = {"Authorization": f"Bearer {granted.value['access_token']}"}
    as_json = {**bearer, "Content-Type": "application/json"}
    created = await call("POST", admin_url, as_json, None, json.dumps({"clientId": os.environ["NAME"]}))
    secret_url = f"{admin_url}/{created.fields['Location'].rpartition('/')[2]}/client-secret"
    made = await call("POST", secret_url, as_json, None, "{}")
    read = await call("GET", secret_url, bearer, None, None)
    again = await call("POST", token_url, {}, auth, form)
    statuses = [answer.status for answer in (granted, created, made, read, again)]
    print(
        json.dumps({"statuses": statuses, "kept": bool(made.value.get("value")) and made.value == read.value})
    )


def main(call: Call) -> None:
    asyncio.run(run(call))
