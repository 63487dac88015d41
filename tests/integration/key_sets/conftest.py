"""A JWKS server for every test."""

from collections.abc import AsyncIterator

import pytest

from tests.testkit.jwks_server import JwksServer, serving


@pytest.fixture
async def server() -> AsyncIterator[JwksServer]:
    async with serving() as running:
        yield running
