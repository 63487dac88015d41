"""``/verify`` reads its request only once the caller is known, and accepts little before."""

from typing import Any

import httpx
import pytest

from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import RealmProjection
from keyturn_verifier.web.verify import MAX_BYTES_WITHOUT_HEADER, MAX_TOKENS
from tests.testkit.filled_redis import Filling, client_of
from tests.testkit.nodes import ASSERTION_TYPE, RunningNode, assertion, basic

SECRET = "a secret of the worker"
KEY = SigningKey.generate()
GOOD = {"Authorization": basic("worker", SECRET)}


@pytest.fixture(autouse=True)
async def clients(filling: Filling, realm: RealmProjection) -> None:
    await filling.change(realm, client_of(realm, "worker", secret=SECRET))
    await filling.change(realm, client_of(realm, "signer", key=KEY))


async def ask(node: RunningNode, body: Any, **headers: str) -> httpx.Response:
    content = {"content": body} if isinstance(body, bytes) else {"json": body}
    return await node.http.post("/realms/acme/verify", headers=headers, **content)


def with_tokens(count: int, **members: Any) -> dict[str, Any]:
    return {**members, "tokens": ["x"] * count}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"tokens": [' + b'"",' * 2_000_000 + b'""]}', id="millions of tokens"),
        pytest.param(b'{"tokens": "' + b"x" * 8_000_000 + b'"}', id="no list"),
        pytest.param(b"[" * 4_000_000, id="no end"),
        pytest.param(b"nothing", id="no JSON"),
    ],
)
async def test_who_is_not_known_is_refused_before_the_tokens_are_looked_at(
    node: RunningNode, body: bytes
) -> None:
    for value in (basic("worker", "wrong"), basic("nobody", SECRET), "Bearer x"):
        assert (await ask(node, body, Authorization=value)).status_code == 401
    assert (await ask(node, body, **GOOD)).status_code == 400


async def test_credentials_in_the_body_are_read_without_the_tokens_and_from_a_smaller_body(
    node: RunningNode,
) -> None:
    known = {"client_id": "worker", "client_secret": SECRET}
    wrong = {"client_id": "worker", "client_secret": "wrong"}
    assert (await ask(node, wrong | {"tokens": "no list"})).status_code == 401
    assert (await ask(node, known | {"tokens": "no list"})).status_code == 400
    assert (await ask(node, with_tokens(1, **known))).status_code == 200
    fitting = {**known, "tokens": ["x" * (MAX_BYTES_WITHOUT_HEADER - 200)]}
    assert (await ask(node, fitting)).status_code == 200
    larger = {**known, "tokens": ["x" * MAX_BYTES_WITHOUT_HEADER]}
    assert (await ask(node, larger)).status_code == 413
    assert (await ask(node, {"tokens": larger["tokens"]}, **GOOD)).status_code == 200


async def test_a_batch_of_the_largest_number_of_usual_tokens_needs_no_header(node: RunningNode) -> None:
    """A client that authenticates with a signature has its assertion in the body."""
    token = assertion(KEY, "signer", "acme")
    body = {
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion(KEY, "signer", "acme"),
        "tokens": [token] * MAX_TOKENS,
    }
    answer = await ask(node, body)
    assert (answer.status_code, len(answer.json()["results"])) == (200, MAX_TOKENS)


async def test_the_number_of_tokens_is_named_when_it_is_too_large(node: RunningNode) -> None:
    answer = await ask(node, with_tokens(MAX_TOKENS + 1), **GOOD)
    assert answer.status_code == 400
    for number in (MAX_TOKENS, MAX_TOKENS + 1):
        assert str(number) in answer.json()["error_description"]


@pytest.mark.parametrize(
    "members",
    [
        {"client_secret": SECRET},
        {"client_id": "worker", "client_secret": SECRET},
        {"client_assertion": "x"},
        {"client_id": "signer"},
    ],
    ids=str,
)
async def test_a_second_method_beside_the_header_is_refused_as_ever(
    node: RunningNode, members: dict[str, str]
) -> None:
    """RFC 6749 section 2.3: a client must not use more than one."""
    answer = await ask(node, with_tokens(1, **members), **GOOD)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert (await ask(node, with_tokens(1, client_id="worker"), **GOOD)).status_code == 200
