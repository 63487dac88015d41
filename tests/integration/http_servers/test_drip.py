"""A small run of the benchmark with one hostile connection: other callers are served all the while."""

import pytest

from benchmarks.drip.run import measure

KINDS = {
    "node": ("flooded head", "dripped chunks"),
    "node with TLS": ("flooded chunks", "dripped handshake"),
    "credentials service": ("flooded fields", "dripped head"),
    "gateway": ("flooded extensions",),
}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("server", KINDS)
async def test_others_are_served_while_one_connection_floods_or_drips(server: str) -> None:
    """A node that had lost its lease meanwhile would have refused them."""
    for each in await measure(server, KINDS[server], before_seconds=0.5, seconds=0.5):
        assert each.is_undisturbed, each
        assert each.octets > 0
