"""Fixtures of the tests of a node."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.verifier.echo_server import HastyProtocol, PatientProtocol, Served, serving
from tests.testkit.fixtures.verifier_node import filling, node, realm

__all__ = ["filling", "node", "realm"]


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving(PatientProtocol) as running:
        yield running


@pytest.fixture
async def hasty() -> AsyncIterator[Served]:
    async with serving(HastyProtocol) as running:
        yield running
