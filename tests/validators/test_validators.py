"""Libraries that resource servers use with Keycloak validate tokens of a migrated realm and of a new one.

Each refuses a token that expired, one of another realm and an altered one. docs/resource-servers.md has the
results; ``make validators`` runs the libraries of Java and Go as well.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.testkit.nodejs import RunNode
from tests.validators import python_libraries
from tests.validators.rows import Answers, check
from tests.validators.scene import Case, validator_scene


@pytest.fixture
async def cases(redis: Redis, redis_url: str, tmp_path: Path) -> AsyncIterator[dict[str, Case]]:
    async with validator_scene(tmp_path, redis, redis_url) as made:
        yield made


async def test_libraries_of_python_and_node_validate_tokens(cases: dict[str, Case], node: RunNode) -> None:
    given = json.dumps([case.for_programs() for case in cases.values()])
    async with asyncio.TaskGroup() as tasks:
        of_node = tasks.create_task(asyncio.to_thread(node, "token-validators.mjs", stdin=given))
        of_python = {
            name: tasks.create_task(asyncio.to_thread(in_every_realm, name, cases))
            for name in python_libraries.LIBRARIES
        }
    ended = of_node.result()
    assert ended.returncode == 0, ended.stderr
    answers = {name: task.result() for name, task in of_python.items()} | json.loads(ended.stdout)
    check(answers, of=lambda library: not library.startswith(("Spring Security", "go-oidc")))


def in_every_realm(library: str, cases: dict[str, Case]) -> dict[str, Answers]:
    return {realm: python_libraries.run(library, case) for realm, case in cases.items()}
