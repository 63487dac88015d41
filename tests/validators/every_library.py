"""Java's and Go's libraries validate tokens. ``make validators`` runs this with what ``make test`` runs."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.testkit.go_program import run_go
from tests.testkit.maven import run_java
from tests.validators.rows import check
from tests.validators.scene import validator_scene

_HERE = Path(__file__).parent
_SPRING = {
    "Spring Security 6.5": _HERE / "java" / "spring-security-6.5",
    "Spring Security 7.0": _HERE / "java" / "spring-security-7.0",
}
pytestmark = pytest.mark.timeout(900)  # the first run downloads and compiles


async def test_spring_security_validates_tokens(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    async with validator_scene(tmp_path, redis, redis_url) as cases:
        given = json.dumps([case.for_programs() for case in cases.values()])
        for name, project in _SPRING.items():
            ended = await asyncio.to_thread(run_java, _HERE / "java" / "Validate.java", project, stdin=given)
            assert ended.returncode == 0, ended.stderr
            answers = {f"{name}, {setting}": each for setting, each in json.loads(ended.stdout).items()}
            check(answers, of=re.compile(re.escape(name)).match)


async def test_go_oidc_validates_tokens(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    async with validator_scene(tmp_path, redis, redis_url) as cases:
        given = json.dumps([case.for_programs() for case in cases.values()])
        ended = await asyncio.to_thread(run_go, _HERE / "go", stdin=given)
    assert ended.returncode == 0, ended.stderr
    check(json.loads(ended.stdout), of=re.compile("go-oidc").match)
