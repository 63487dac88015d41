"""Departures of the references from the RFCs. Run as a module, it rewrites the file."""

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.testkit.http_reading.exchange import exchange
from tests.testkit.http_reading.references import running_references
from tests.testkit.http_reading.stream import End, Stream
from tests.testkit.http_reading.streams import STREAMS
from tests.testkit.http_reading.verdict import Judged, Verdict, judge_messages
from tests.testkit.processes import Processes

FILE: Final = Path(__file__).with_name("departures.json")
_MAX_CONCURRENT: Final = 12
_OPEN_SECONDS: Final = 20.0
"""hyper waits for the end of a message for 30 seconds."""

Readings = dict[str, dict[str, list[str]]]
"""By stream and reference."""


def known_departures() -> Readings:
    """Return the recorded departures."""
    return {stream: entry["readings"] for stream, entry in json.loads(FILE.read_text()).items()}


async def ask_references(processes: Processes, directory: Path) -> dict[tuple[str, str], Judged]:
    """Return the reading of each stream by each reference, keyed by both names."""
    asked: dict[tuple[str, str], Judged] = {}
    turns = asyncio.Semaphore(_MAX_CONCURRENT)

    async def ask(stream: Stream, name: str, port: int) -> None:
        async with turns:
            received = await exchange(
                port, [stream.wire], half_close=stream.end is End.WAITS, most=_OPEN_SECONDS
            )
            asked[stream.name, name] = judge_messages(stream, received, errors_refuse=True)

    async with running_references(processes, directory) as ports:
        await asyncio.gather(*(ask(stream, *each) for stream in STREAMS for each in ports.items()))
    return asked


def departures_of(asked: dict[tuple[str, str], Judged]) -> Readings:
    """Return departures in the order of the streams."""
    found: Readings = {}
    for stream in STREAMS:
        differing = {
            name: list(judged.reading)
            for (of, name), judged in asked.items()
            if of == stream.name and judged.verdict is Verdict.DIFFERS
        }
        if differing:
            found[stream.name] = dict(sorted(differing.items()))
    return found


def main() -> int:
    """Test the references, and record their departures."""
    with tempfile.TemporaryDirectory(prefix="keyturn-http-") as directory:
        processes = Processes(Path(directory))
        try:
            found = departures_of(asyncio.run(ask_references(processes, Path(directory))))
        finally:
            processes.end_all()
    sources = {stream.name: stream.source for stream in STREAMS}
    document = {name: {"source": sources[name], "readings": readings} for name, readings in found.items()}
    FILE.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    print(f"{len(found)} streams of {len(STREAMS)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
