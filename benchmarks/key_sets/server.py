"""A JWKS server for benchmarks: any number of URLs on many loopback addresses, good and bad ones.

    python -m benchmarks.key_sets.server --hosts 250 --changing 0.01

``/<n>`` is a good URL with an ETag whose key changes at random times; ``/hang/<n>`` never answers,
``/fail/<n>`` answers 500, ``/cut/<n>`` closes the connection. ``/put/<n>/<kid>`` publishes one more key at
``/<n>``, and ``/counts`` tells the requests per URL.
"""

import argparse
import asyncio
import json
import resource
import sys
import time
from collections import Counter
from typing import cast

import uvloop
from cryptography.hazmat.primitives.asymmetric import ec

from keyturn_shared.jose.jwk import VerificationKey

KEYS = 64


class Site:
    """Content of the server. Keys come from a small pool, since generating 100,000 takes a while."""

    def __init__(self, changing: float) -> None:
        self._began = time.monotonic()
        self._changing = changing
        self._keys = [_make_key(f"k{number}") for number in range(KEYS)]
        self._published: dict[str, list[dict[str, object]]] = {}
        self.counts: Counter[str] = Counter()

    def answer(self, path: str, etag: str) -> bytes | None:
        self.counts[path] += 1
        kind, _, rest = path[1:].partition("/")
        if kind == "hang":
            return None
        if kind == "fail":
            return b"HTTP/1.1 500 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        if kind == "cut":
            return b""
        if kind == "counts":
            return _ok(json.dumps(self.counts).encode(), "")
        if kind == "put":
            client, _, kid = rest.partition("/")
            keys = self._published.setdefault(f"/{client}", [])
            self._published[f"/{client}"] = [_make_key(kid), *keys[:1]]
            return _ok(b"{}", "")
        number = int(kind)
        # Every URL changes once within 1 / changing minutes, each at its own time.
        turn = int((time.monotonic() - self._began) / 60 * self._changing + number * 0.618 % 1)
        tag = f'"{number}-{turn}"'
        if path in self._published:
            tag = f'"{self._published[path][0]["kid"]}"'
        if etag == tag:
            return b"HTTP/1.1 304 X\r\netag: %s\r\n\r\n" % tag.encode()
        keys = self._published.get(path) or [self._keys[(number + turn) % KEYS]]
        return _ok(json.dumps({"keys": keys}).encode(), tag)


class Connection(asyncio.Protocol):
    """Kept open unless the client or the answer says otherwise."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._received.endswith(b"\r\n\r\n"):
            return
        lines = self._received.decode("latin-1").split("\r\n")
        etag = next((line[15:] for line in lines if line.lower().startswith("if-none-match: ")), "")
        self._received = b""
        answer = self._site.answer(lines[0].split(" ")[1], etag)
        if answer is None:
            return
        self._transport.write(answer)
        is_last = any(line.lower() == "connection: close" for line in lines)
        if is_last or not answer or b"connection: close" in answer:
            self._transport.close()


def _make_key(kid: str) -> dict[str, object]:
    key = VerificationKey.from_public_key(ec.generate_private_key(ec.SECP256R1()).public_key(), kid=kid)
    return {**key.public_jwk, "alg": "ES256"}


def _ok(body: bytes, tag: str) -> bytes:
    head = f"HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return (head + (f"etag: {tag}\r\n" if tag else "") + "\r\n").encode() + body


async def serve(hosts: int, port: int, changing: float) -> None:
    loop = asyncio.get_running_loop()
    site = Site(changing)
    for number in range(hosts):
        address = f"127.1.{number // 200}.{number % 200 + 1}"
        await loop.create_server(lambda: Connection(site), address, port, backlog=1024)
    sys.stdout.write("serving\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hosts", type=int, default=250)
    parser.add_argument("--port", type=int, default=18080)
    parser.add_argument("--changing", type=float, default=0.01, help="share of the URLs a minute")
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(serve(options.hosts, options.port, options.changing))


if __name__ == "__main__":
    main()
