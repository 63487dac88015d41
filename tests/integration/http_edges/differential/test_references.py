"""The readings are those of the RFCs, and every departure of a reference is recorded."""

from collections import Counter
from pathlib import Path

from tests.integration.http_edges.differential.departures import (
    ask_references,
    departures_of,
    known_departures,
)
from tests.testkit.http_reading.streams import FAMILIES, STREAMS
from tests.testkit.processes import Processes

_ASKED_FOR = 300


def test_there_are_enough_streams_each_with_a_name_and_a_source() -> None:
    assert len(STREAMS) >= _ASKED_FOR
    names = Counter(stream.name for stream in STREAMS)
    assert [name for name, count in names.items() if count > 1] == []
    assert all(stream.source for stream in STREAMS)
    assert all(
        any(stream.ordinary for stream in family) or name == "trailers" for name, family in FAMILIES.items()
    )


async def test_h11_hyper_and_nginx_read_or_refuse_each_stream_but_for_what_is_written_down(
    processes: Processes, tmp_path: Path
) -> None:
    found = departures_of(await ask_references(processes, tmp_path))
    known = known_departures()
    assert {
        name: found.get(name) for name in found.keys() | known.keys() if found.get(name) != known.get(name)
    } == {}
