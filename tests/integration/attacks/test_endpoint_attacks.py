"""Every attack on the endpoints is refused for its own reason, which the answer does not reveal."""

import re
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from tests.integration.attacks import (
    EndpointAttack,
    access_tokens,
    audiences,
    identity,
    replays,
    requests,
    times_and_keys,
)
from tests.testkit.attacked_node import SECOND_KEY, Scene, fill, signed
from tests.testkit.nodes import running_node

FRONTS = {
    "identity": identity.ATTACKS,
    "audiences": audiences.ATTACKS,
    "replays": replays.ATTACKS,
    "times and keys": times_and_keys.ATTACKS,
    "requests": requests.ATTACKS,
    "access tokens": access_tokens.ATTACKS,
}
ANSWERS: dict[int, set[str | None]] = {
    200: {None},  # introspection and /verify, which answer for each token
    400: {
        "invalid_request",
        "invalid_scope",
        "invalid_target",
        "unauthorized_client",
        "unsupported_grant_type",
    },
    401: {"invalid_client", "invalid_token"},
    403: {"insufficient_scope"},
    404: {"Realm does not exist"},
}
_OUTCOME = re.compile(r'^keyturn_(?:authentications|verifications)_total\{.*outcome="([^"]+)".*\} ([\d.]+)$')


@pytest.fixture
async def scene(redis: Redis, redis_url: str) -> AsyncIterator[Scene]:
    await fill(redis)
    # All of them come from one address, and none may be refused for their number.
    async with running_node(redis_url, failure_limit_client=0, failure_limit_address=0) as node:
        yield Scene(node)


async def outcomes(scene: Scene) -> Counter[str]:
    """Return how often each outcome was counted so far."""
    counted: Counter[str] = Counter()
    for line in (await scene.node.http.get("/metrics")).text.splitlines():
        if match := _OUTCOME.match(line):
            counted[match[1]] += int(float(match[2]))
    return counted


@pytest.mark.parametrize("front", FRONTS)
async def test_every_attack_is_refused_for_its_reason_and_the_answer_hides_it(
    front: str, scene: Scene
) -> None:
    wrong = []
    for attack in FRONTS[front]:
        before = await outcomes(scene)
        answer = await attack.send(scene)
        counted = set(await outcomes(scene) - before) - {"accepted"} - attack.before
        told = answer.json().get("error") if answer.content else None
        if (answer.status_code, counted) != (attack.status, {attack.expected}) or told not in ANSWERS[
            attack.status
        ]:
            wrong.append((attack.name, attack.expected, answer.status_code, counted, told))
    assert not wrong


@pytest.mark.parametrize("status", [400, 401])
async def test_one_status_has_one_description_whatever_the_reason(status: int, scene: Scene) -> None:
    """Refused credentials get only the answer of RFC 6749 5.2."""
    texts = {
        (await attack.send(scene)).text
        for attack in (*identity.ATTACKS, *audiences.ATTACKS, *times_and_keys.ATTACKS)
        if attack.status == status
    }
    assert len(texts) == (1 if status == 401 else 0)


async def test_the_scene_accepts_honest_requests(scene: Scene) -> None:
    """The attacks fail for their own reason: otherwise the same requests succeed."""
    honest = [
        await scene.assert_as(signed()),
        await scene.assert_as(signed(SECOND_KEY), client_id="worker"),
        await scene.assert_as(signed(header={"kid": None})),
        await scene.assert_as(signed(realm="twin"), realm="twin"),
        await scene.assert_as(signed(realm="strict"), realm="strict"),
    ]
    assert [answer.status_code for answer in honest] == [200] * len(honest)
    forward = await scene.node.http.get(
        "/realms/acme/forward-auth?audience=https://api&scope=read",
        headers={"Authorization": f"Bearer {await scene.access_token()}"},
    )
    assert forward.status_code == 204


def test_names_and_sources_are_complete() -> None:
    """Each case has a unique name within its topic, and a source."""
    for attacks in FRONTS.values():
        names = Counter(attack.name for attack in attacks)
        assert [name for name, count in names.items() if count > 1] == []
    every: list[EndpointAttack] = [attack for attacks in FRONTS.values() for attack in attacks]
    assert all(attack.source for attack in every)
    assert len(every) >= 150
