"""A small run of ``make fuzz-admin``."""

import asyncio
from pathlib import Path

import pytest

from tests.fuzz_admin import api, uploads
from tests.fuzz_admin.service import running

GROWTH_KIB = 20 * 1024


@pytest.mark.timeout(300)
async def test_the_service_answers_anything_as_it_is_described(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        described = await asyncio.to_thread(api.run, service, examples=1, number=1)
        assert described.calls >= 2 * len(described.statuses)
        # Some were accepted.
        worked = {status for counter in described.statuses.values() for status in counter if status < 300}
        assert worked == {200, 201, 204}

        sent = await asyncio.to_thread(uploads.run, service, count=50, number=1)
        assert sent.statuses.total() == 50
        assert len(sent.codes) > 4
        assert sent.growth < GROWTH_KIB, sent.describe()
