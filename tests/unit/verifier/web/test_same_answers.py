"""Answers from memory are those of a node that checks each request fully.

Two nodes get the same changes and requests: one keeps what it has verified, and answers without waiting where
it can; the other does everything each time.
"""

import asyncio
import base64
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from keyturn_shared.oauth.web.messages import Reply
from tests.unit.verifier.web.node_changes import CHANGES
from tests.unit.verifier.web.node_in_memory import NodeInMemory
from tests.unit.verifier.web.node_requests import Sent
from tests.unit.verifier.web.node_requests import requests as any_requests


def shown(reply: Reply) -> tuple[int, Any, Any]:
    """Return an answer without its signatures, which are made of random numbers."""
    body: Any = reply.body
    if b"access_token" in body:
        body = json.loads(body)
        body["access_token"] = _claims(body["access_token"])
    elif (b"content-type", b"application/token-introspection+jwt") in reply.headers:
        body = _claims(body.decode())
    return reply.status, sorted(reply.headers), body


def _claims(token: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


@settings(max_examples=150, deadline=None)
@given(
    requests=st.lists(any_requests(), min_size=1, max_size=6),
    changes=st.lists(st.sampled_from(sorted(CHANGES)), max_size=12),
)
def test_the_same_is_answered_and_recorded_with_everything_in_memory_or_nothing(
    requests: list[Sent], changes: list[str]
) -> None:
    asyncio.run(_compare(requests, changes))


async def _compare(requests: list[Sent], changes: list[str]) -> None:
    keeping, plain = NodeInMemory(keeps=True), NodeInMemory(keeps=False)
    for change_name in ("", *changes):
        if change_name:
            for node in (keeping, plain):
                CHANGES[change_name](node)
        for sent in (*requests, *requests):  # the second time, more is known
            answers = [shown(await node.ask(*sent)) for node in (keeping, plain)]
            assert answers[0] == answers[1], sent
            assert keeping.metrics() == plain.metrics(), sent
            assert keeping.noted == plain.noted, sent
