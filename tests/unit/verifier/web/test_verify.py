"""Many tokens in one request: other requests get their turn in between."""

import asyncio
import json
from typing import Any

from prometheus_client import CollectorRegistry

from keyturn_shared.oauth.errors import ClientDisabledError
from keyturn_shared.oauth.metrics import AnswerMetrics
from keyturn_shared.oauth.tokens.verification import VerifiedToken
from keyturn_shared.oauth.web.messages import Request
from keyturn_verifier.web.verify import MAX_TOKENS, VerifyEndpoint
from tests.testkit.oauth_scene import Scene, access_token, client, scene


class Caller:
    """The authentication of whoever asks; nothing but ``require`` is used."""

    async def require(self, *_: Any) -> str:
        return "worker"


class Watched:
    """The verifier, with a note of which requests it worked for. ``elsewhere``: texts of tokens that need
    waiting."""

    def __init__(self, made: Scene, elsewhere: frozenset[str] = frozenset()) -> None:
        self._sound = made.tokens
        self._elsewhere = elsewhere
        self.order: list[str] = []

    def verify_at_once(self, realm: str, text: str, **options: Any) -> Any:
        self.order.append(text[-1:])
        return None if text in self._elsewhere else self._sound.verify_at_once(realm, text, **options)

    async def verify(self, realm: str, text: str, **_: Any) -> VerifiedToken:
        await asyncio.sleep(0)
        if text == "disabled":
            raise ClientDisabledError("worker")
        return VerifiedToken("worker", {"jti": text}, True)


def endpoint(made: Scene, watched: Watched) -> VerifyEndpoint:
    metrics = AnswerMetrics(CollectorRegistry())
    return VerifyEndpoint(made, Caller(), watched, metrics)  # type: ignore[arg-type]  # what is asked for


def request(tokens: list[str], **members: Any) -> Request:
    body = json.dumps({"tokens": tokens, **members}).encode()
    sent = [(b"authorization", b"Basic x")]
    return Request("POST", "/realms/acme/verify", "acme", b"", sent, body, "192.0.2.1")


async def results(found: VerifyEndpoint, asked: Request) -> list[dict[str, Any]]:
    reply = await found(asked)
    assert reply.status == 200, reply.body
    return json.loads(reply.body)["results"]  # type: ignore[no-any-return]  # of any form


async def test_each_token_has_its_result_in_order_whether_it_needs_waiting_or_not() -> None:
    made = scene(client())
    good = [access_token(made, jti=str(number)) for number in range(9)]
    tokens = [good[0], "slow", *good[1:6], "no token", "disabled", *good[6:]]
    watched = Watched(made, frozenset({"slow", "disabled"}))
    found = await results(endpoint(made, watched), request(tokens))
    assert [each.get("claims", {}).get("jti", each.get("error")) for each in found] == [
        *("0", "slow", "1", "2", "3", "4", "5", "malformed", "client_disabled", "6", "7", "8")
    ]


async def test_tokens_good_once_are_not_answered_from_memory() -> None:
    made = scene(client())
    watched = Watched(made)
    found = await results(endpoint(made, watched), request([access_token(made)], single_use=True))
    assert found[0]["active"] is True
    assert watched.order == []


async def test_requests_take_turns_and_leave_turns_to_others() -> None:
    """Others do something between any two turns, however many such requests there are."""
    made = scene(client())
    watched = Watched(made)
    found = endpoint(made, watched)
    asked = [request([f"{number}.{name}" for number in range(40)]) for name in "ab"]
    working = asyncio.gather(*(found(each) for each in asked))
    longest = before = 0
    while not working.done():
        await asyncio.sleep(0)
        longest = max(longest, len(watched.order) - before)
        before = len(watched.order)
    assert len(watched.order) == 80
    assert longest < 10, "no more than a few tokens in between"
    half = "".join(watched.order[:40])
    assert 10 < half.count("a") < 30, "neither waits for the other's end"


async def test_a_thousand_tokens_have_a_thousand_results() -> None:
    made = scene(client())
    found = await results(endpoint(made, Watched(made)), request(["no token"] * MAX_TOKENS))
    assert len(found) == MAX_TOKENS
    assert {each["error"] for each in found} == {"malformed"}
