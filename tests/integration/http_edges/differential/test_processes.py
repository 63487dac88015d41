"""Each process answers each stream as often as it has messages, or refuses it and closes."""

from typing import Final

import pytest

from tests.integration.http_edges.differential.asking import faults_of
from tests.integration.http_edges.differential.departures import known_departures
from tests.testkit.http_edges import NAMES, Edge
from tests.testkit.http_reading.exchange import Received
from tests.testkit.http_reading.stream import Stream
from tests.testkit.http_reading.streams import STREAMS
from tests.testkit.http_reading.verdict import Judged, Verdict, judge_answers

pytestmark = pytest.mark.timeout(600)
_NGINX: Final = {name for name, readings in known_departures().items() if "nginx" in readings}


def judge_gateway(stream: Stream, received: Received) -> Judged:
    """Judge nginx's reading: it may have nginx's known departures, and fails no more than others."""
    judged = judge_answers(stream, received)
    failed = any(reading.startswith("5") for reading in judged.reading)
    if judged.verdict is Verdict.DIFFERS and stream.name in _NGINX and not failed:
        return Judged(Verdict.AGREES, judged.reading)
    return judged


@pytest.mark.parametrize("pieces", [False, True], ids=["whole", "in pieces"])
@pytest.mark.parametrize("name", NAMES)
async def test_there_is_one_answer_to_each_message_and_none_to_what_is_no_message(
    name: str, pieces: bool, edges: dict[str, Edge]
) -> None:
    edge = edges[name]
    judge = judge_gateway if name.startswith("gateway") else judge_answers
    faults = await faults_of(edge.port, STREAMS, judge, pieces=pieces, path=edge.path, tls=edge.tls)
    assert faults == []
