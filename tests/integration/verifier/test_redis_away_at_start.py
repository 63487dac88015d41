"""A node that starts before Redis waits quietly, and serves once Redis is there."""

import asyncio
from collections.abc import Coroutine, Generator
from pathlib import Path
from typing import Any, TypeVar

from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.projection import RealmProjection
from keyturn_shared.redis_client import connect
from tests.testkit.filled_redis import Filling, client_of
from tests.testkit.nodes import eventually, running_node
from tests.testkit.ports import find_free_port

T = TypeVar("T")
_AWAY_SECONDS = 1.5
_MAX_TASKS = 300
SECRET = "a secret"


class Census:
    """Counts tasks, and errors that were never retrieved."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.tasks = 0
        self.unseen: list[str] = []
        loop.set_task_factory(self._make)
        loop.set_exception_handler(lambda _, context: self.unseen.append(str(context["message"])))

    def _make(
        self,
        loop: asyncio.AbstractEventLoop,
        coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
        **options: Any,
    ) -> asyncio.Task[T]:
        self.tasks += 1
        return asyncio.Task(coro, loop=loop, **options)


async def test_a_node_without_redis_makes_few_tasks_and_leaves_no_error_behind(
    tmp_path: Path, realm: RealmProjection
) -> None:
    server = EmbeddedRedis(tmp_path, persistent=True, port=find_free_port())
    census = Census(asyncio.get_running_loop())
    async with running_node(server.url, wait=False) as node:
        await asyncio.sleep(_AWAY_SECONDS)
        assert not await node.ready()
        assert census.tasks < _MAX_TASKS
        server.start()
        try:
            redis = connect(server.url)
            filling = Filling.on(redis)
            await filling.open(realm, client_of(realm, "worker", secret=SECRET))
            await redis.aclose()
            await eventually(node.ready, seconds=60)
            answer = await node.token_by_secret(realm.name, "worker", SECRET)
            assert answer.status_code == 200
        finally:
            server.stop()
    assert census.unseen == []
