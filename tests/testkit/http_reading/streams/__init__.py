"""All streams, by family."""

from typing import Final

from tests.testkit.http_reading.stream import Stream
from tests.testkit.http_reading.streams import (
    chunks,
    connections,
    fields,
    hosts,
    lengths,
    offers,
    pipelines,
    request_lines,
    sizes,
    trailers,
    transfer_codings,
)

FAMILIES: Final[dict[str, list[Stream]]] = {
    "Content-Length": lengths.STREAMS,
    "Transfer-Encoding": transfer_codings.STREAMS,
    "chunks": chunks.STREAMS,
    "trailers": trailers.STREAMS,
    "Upgrade and Expect": offers.STREAMS,
    "fields": fields.STREAMS,
    "request lines": request_lines.STREAMS,
    "Host": hosts.STREAMS,
    "pipelining": pipelines.STREAMS,
    "connections": connections.STREAMS,
    "sizes": sizes.STREAMS,
}
STREAMS: Final = [stream for family in FAMILIES.values() for stream in family]
