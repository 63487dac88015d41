"""The servers of keyturn read each stream as the RFCs require, or refuse it and close."""

from pathlib import Path

import pytest

from tests.integration.http_edges.differential.asking import faults_of
from tests.testkit.http_reading.ours import KINDS, serving
from tests.testkit.http_reading.streams import STREAMS
from tests.testkit.http_reading.verdict import judge_messages
from tests.testkit.tls import ServerTls

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("pieces", [False, True], ids=["whole", "in pieces"])
@pytest.mark.parametrize("kind", KINDS)
async def test_each_message_has_the_method_target_and_body_that_the_stream_gives_it(
    kind: str, pieces: bool, tmp_path: Path
) -> None:
    async with serving(kind, ServerTls.make(tmp_path)) as server:
        faults = await faults_of(server.port, STREAMS, judge_messages, pieces=pieces, tls=server.tls)
    assert faults == []
