"""A hostile caller as a separate process: it sends one endless message over one connection.

When the server ends the connection it reconnects, twenty times a second at most.

    python -m benchmarks.drip.attacker --port 8082 --kind "flooded head" --seconds 10 [--tls]
"""

import argparse
import json
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_COMES_AGAIN_SECONDS: Final = 0.05
_DRIP_SECONDS: Final = 0.001
_SEND_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Kind:
    """Octets sent once, and then repeatedly. ``drips``: with a pause between."""

    opening: bytes
    repeated: bytes
    drips: bool = False


_HEAD: Final = b"POST /realms/basic/protocol/openid-connect/token HTTP/1.1\r\nHost: a\r\n"
_CHUNKED: Final = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
KINDS: Final = {
    "flooded head": Kind(_HEAD + b"A: ", b"a" * 65536),
    "flooded fields": Kind(_HEAD, b"A: b\r\n" * 8192),
    "flooded chunks": Kind(_CHUNKED, b"1\r\na\r\n" * 8192),
    "flooded extensions": Kind(_CHUNKED + b"1;", b"a" * 65536),
    "dripped head": Kind(_HEAD + b"A: ", b"a", drips=True),
    "dripped chunks": Kind(_CHUNKED, b"1\r\na\r\n", drips=True),
}
HANDSHAKES: Final = {
    "dripped handshake": Kind(b"\x16\x03\x01\x3f\xff\x01\x00\x3f\xfb", b"\x00", drips=True),
    "flooded handshake": Kind(b"\x16\x03\x01\x3f\xff\x01\x00\xff\xff", b"\x16" * 65536),
}
"""For a server of TLS: sent in place of the handshake."""


@dataclass(frozen=True)
class Sent:
    """``ended``: how often the server ended the connection."""

    connections: int
    ended: int
    octets: int


def attack(port: int, kind: Kind, *, seconds: float, tls: bool) -> Sent:
    """Attack for this many seconds."""
    connections = ended = octets = 0
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    until = time.monotonic() + seconds
    while not connections or time.monotonic() < until:  # once, however slow the machine
        connections += 1
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=_SEND_SECONDS) as raw:
                for sent in _send(context.wrap_socket(raw) if tls else raw, kind, until):
                    octets += sent
        except OSError:
            ended += 1
            time.sleep(_COMES_AGAIN_SECONDS)
    return Sent(connections, ended, octets)


def _send(connection: socket.socket, kind: Kind, until: float) -> Iterator[int]:
    connection.sendall(kind.opening)
    yield len(kind.opening)
    while time.monotonic() < until:
        connection.sendall(kind.repeated)
        yield len(kind.repeated)
        if kind.drips:
            time.sleep(_DRIP_SECONDS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--kind", choices=[*KINDS, *HANDSHAKES], required=True)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--tls", action="store_true")
    chosen = parser.parse_args()
    tls = chosen.tls and chosen.kind in KINDS
    sent = attack(chosen.port, (KINDS | HANDSHAKES)[chosen.kind], seconds=chosen.seconds, tls=tls)
    print(json.dumps(sent.__dict__))
    return 0


if __name__ == "__main__":
    sys.exit(main())
