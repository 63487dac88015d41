"""Key sets: clients' JWKS URLs, and whether anybody fetches them."""

from collections.abc import Iterator
from typing import Any, Final

from keyturn.doctor.diagnoses import callers
from keyturn.doctor.findings import AreaReport, Finding
from keyturn.doctor.scene import Scene
from keyturn.doctor.times import ago
from keyturn.terminal_text import counted
from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.notice_causes import judge_url
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.queries.fetched_keys import FleetKeySets
from keyturn_credentials.store.client_search import find_after
from keyturn_credentials.store.search_query import Criteria
from keyturn_shared.fleet.registry import FleetRegistry
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.key_sets.inspection import KeySetHealth
from keyturn_shared.key_sets.layout import KeySetLayout
from keyturn_shared.redis_failures import redis_answers

OVERDUE_SECONDS: Final = 60.0
"""Delay of a fetch from which it is reported, as by the alert on ``keyturn_key_sets_overdue_seconds``."""
_MOST_CLIENTS: Final = 10_000
_PAGE: Final = 500
_BY_URL: Final = Criteria(attributes={attributes.USE_JWKS_URL: "true"})


async def check_key_sets(scene: Scene, report: AreaReport) -> None:
    """Check the JWKS URLs. Raises RedisUnavailableError and StoreUnavailableError."""
    fetched = FleetKeySets(scene.redis, scene.settings.named_fetcher_keys(), scene.clock)
    now, seen = scene.clock.now(), 0
    async with scene.store.read() as reading:
        realms = await reading.realms.all()
    for realm in realms:
        after = ""
        while seen < _MOST_CLIENTS:
            async with scene.store.read() as reading:
                found = await find_after(reading, realm.id, _BY_URL, after=after, most=_PAGE)
            healths = await fetched.healths(
                [client.jwks_url or "" for client in found], realm.allowed_networks
            )
            for client, health in zip(found, healths, strict=True):
                report.extend(findings_of_url(realm, client, health, now))
            seen += len(found)
            if len(found) < _PAGE:
                break
            after = found[-1].client_id
    report.summary = f"{counted(seen, 'client')} with a JWKS URL" + (
        ", no more were looked at" if seen >= _MOST_CLIENTS else ""
    )
    report.extend(judge_queues(await _overdue_seconds(scene)))


def findings_of_url(
    realm: Realm, client: Client, health: KeySetHealth | None, now: float
) -> Iterator[Finding]:
    """Yield a finding if the client's URL fails. Pure. ``now``: NumericDate seconds."""
    for cause in judge_url(realm, client, health, now):
        assert health is not None, "a URL that nobody fetched does not fail"  # noqa: S101 - a mistake in code
        since = (
            "has never been fetched"
            if health.last_success is None
            else f"last success {ago(now - health.last_success)}"
        )
        yield Finding(
            cause.kind,
            f"realm {realm.name}, client {client.client_id}, {cause.detail}:"
            f" {health.failure}, {health.failures} failures in a row, {since}",
        )


def judge_queues(overdue_seconds: float) -> Iterator[Finding]:
    """Yield a finding if fetches are late. Pure."""
    if overdue_seconds >= OVERDUE_SECONDS:
        yield Finding(callers.FETCHER_ABSENT, f"the next fetch should have begun {ago(overdue_seconds)}")


async def _overdue_seconds(scene: Scene) -> float:
    """Return how late the fetch is that is due the longest, by Redis' clock."""
    layout = KeySetLayout()
    redis: Any = scene.redis  # redis-py's types do not know that scores come with the entries
    view = await FleetRegistry(RedisScripts(scene.redis)).view()
    first: list[float] = []
    with redis_answers("the queue of key sets"):
        for queue in (layout.due, layout.retries):
            first += [at for _, at in await redis.zrange(queue, 0, 0, withscores=True)]
    return max((view.now - at) / 1000 for at in first) if first else 0.0
