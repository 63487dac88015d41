"""After the call that ended something has returned, it is granted nowhere.

Everything is real and in a separate process. Each cell of the matrix has its own client, which is shown to be
granted access right before. All cells are tried in the first circumstance, and each in one of the two others;
``make revocation`` tries all in all.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
import pytest_asyncio
from redis import Redis

from tests.integration.revocation.cast import Cast, at_once, make_cast
from tests.integration.revocation.cells import Cell, cells_to_test, half_of, name_of
from tests.integration.revocation.changes import end
from tests.integration.revocation.deployment import Deployment, deployed
from tests.integration.revocation.judging import Judgement
from tests.integration.revocation.subjects import Subject
from tests.testkit.processes import Processes

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(600),
]
_REDIS_SECONDS = 30
_CACHED_AT_LEAST = 20
_IN_SOCKETS_SECONDS = 1.0
"""Time until requests are in the socket of a stopped process."""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    processes = Processes(tmp_path_factory.mktemp("processes"))
    yield processes
    processes.end_all()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def deployment(
    started: Processes, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Deployment]:
    async with deployed(tmp_path_factory.mktemp("deployment"), started) as running:
        yield running


@asynccontextmanager
async def judged(
    deployment: Deployment, name: str, cells: list[Cell]
) -> AsyncIterator[tuple[Cast, Judgement]]:
    """Yield a cast with everything granted and streams open. Fails for any violation."""
    cast = await make_cast(deployment, name, cells)
    there = sorted(each.cell for each in cast.ending)
    assert there == sorted(name_of(*cell) for cell in cells), "no cell is untested"
    await cast.prove()
    await _require_warm_caches(deployment)
    judgement = Judgement(cast)
    try:
        await cast.open_streams()
        yield cast, judgement
    finally:
        await cast.leave()
    assert not judgement.violations, "\n".join(judgement.violations)


async def _require_warm_caches(deployment: Deployment) -> None:
    """Fail unless each node has verified tokens in memory, which the changes must end there too."""
    for node in deployment.nodes:
        page = (await node.http.get("/metrics")).text
        found = re.search(r"^keyturn_token_cache_size (\d+)", page, re.MULTILINE)
        assert found is not None
        assert int(found[1]) > _CACHED_AT_LEAST


@pytest.fixture
def halves(request: pytest.FixtureRequest) -> tuple[list[Cell], list[Cell]]:
    """Return the cells of the second and of the third circumstance."""
    cells = list(cells_to_test())
    if request.config.getoption("every_cell", default=False):
        return cells, cells
    return half_of(cells, 0), half_of(cells, 1)


async def test_nothing_is_granted_after_the_call_returned(deployment: Deployment) -> None:
    """Each is requested at every process as soon as its own call has returned, and everything at the end."""
    async with judged(deployment, "waited", list(cells_to_test())) as (cast, judgement):

        async def end_and_ask(unit: list[Subject]) -> None:
            await end(deployment, unit)
            await judgement.ask(judgement.asked(unit))

        await at_once(end_and_ask, cast.units)
        await judgement.until_refused()
        await judgement.streams_end()
        await cast.until_granted(cast.kept)
        # A kept subject counts as a violation if any process reports it as ended.
        witness = Judgement(cast)
        asked = witness.asked(cast.kept)
        await witness.ask(asked)
        assert len(witness.violations) == len(asked)


async def test_nothing_is_granted_by_a_process_that_was_stopped_over_the_change(
    deployment: Deployment, halves: tuple[list[Cell], list[Cell]]
) -> None:
    """Requests in its socket are the first that it answers when it continues."""
    async with judged(deployment, "frozen", halves[0]) as (cast, judgement):
        stopped = [deployment.nodes[1], deployment.libraries[1]]
        for server in stopped:
            server.process.pause()
        try:
            await at_once(partial(end, deployment), cast.units, most=len(cast.units))
            asked = [each for each in judgement.asked(cast.ending) if each[0] in stopped]
            first = asyncio.create_task(judgement.ask(asked, most=len(asked)))
            await asyncio.wait([first], timeout=_IN_SOCKETS_SECONDS)
            assert not first.done(), "nobody answers who is stopped"
        finally:
            for server in stopped:
                server.process.resume()
        await first
        await judgement.until_refused()
        await judgement.streams_end()
        await cast.until_granted(cast.kept)


async def test_nothing_is_granted_after_redis_was_lost_right_after_the_change(
    deployment: Deployment, halves: tuple[list[Cell], list[Cell]]
) -> None:
    """Redis is emptied, is killed, and comes back empty: everything is requested after each step, during the
    recovery, and after it."""
    async with judged(deployment, "lost", halves[1]) as (cast, judgement):
        await at_once(partial(end, deployment), cast.units)
        with Redis.from_url(deployment.redis.url, socket_timeout=_REDIS_SECONDS) as redis:
            redis.flushall()
        await judgement.ask(judgement.asked(cast.ending))
        deployment.redis.kill()
        await judgement.ask(judgement.asked(cast.ending))
        deployment.redis.start()
        await judgement.until_kept_are_granted()
        await judgement.until_refused()
        await judgement.streams_end()
