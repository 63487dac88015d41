"""Introspection by one node while clients are revoked, beside the same load without revocations.

The revoked clients belong to the realm of the tokens that are asked about. The node applies each event. It
has core 0 for itself; wrk, Redis and whoever revokes share core 1. Rounds alternate.

    python -m benchmarks.verifier.revocations [--rounds 3] [--seconds 4] [--per-second 100]
"""

import argparse
import asyncio
import os
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from msgspec.structs import replace

from benchmarks import provenance
from benchmarks.results import Figure, figure
from benchmarks.verifier.target import LOAD_CORE
from benchmarks.verifier.verification import Bench
from benchmarks.verifier.wrk import figure_of
from keyturn_shared.redis_client import connect
from tests.testkit.filled_redis import Filling, client_of

_CLIENTS: Final = 100
_END_SECONDS: Final = 10.0


class Revoking:
    """Ends the tokens of one client after the other, in a thread of its own."""

    def __init__(self, bench: Bench, per_second: float) -> None:
        self._bench = bench
        self._pause = 1 / per_second
        self._stopped = threading.Event()
        self.published = 0
        self.seconds = 0.0

    @contextmanager
    def run(self) -> Iterator[None]:
        thread = threading.Thread(target=lambda: asyncio.run(self._publish()))
        self._stopped.clear()
        begun = time.monotonic()
        thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            thread.join(_END_SECONDS)
            self.seconds += time.monotonic() - begun

    async def _publish(self) -> None:
        redis, before = connect(self._bench.redis_url), self._bench.filling
        filling = Filling.on(redis)
        filling.epoch, filling.sequence = before.epoch, before.sequence
        filling.last_event_id = before.last_event_id
        realm = self._bench.realm
        clients = [client_of(realm, f"client-{number}", secret="x" * 32) for number in range(_CLIENTS)]
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not self._stopped.is_set():
            at = self.published % _CLIENTS
            clients[at] = replace(clients[at], token_generation=clients[at].token_generation + 1)
            before.sequence = await filling.change(realm, clients[at])
            before.last_event_id = filling.last_event_id
            self.published += 1
            due += self._pause
            await asyncio.sleep(max(0.0, due - loop.time()))
        await redis.aclose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--per-second", type=float, default=100.0)
    provenance.add_option(parser)
    chosen = parser.parse_args()
    busy_before, found = provenance.busy_before(), list[Figure]()
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    with ExitStack() as stack:
        bench = Bench(stack, seconds=chosen.seconds)
        revoking = Revoking(bench, chosen.per_second)
        for kind in ("introspect-seen", "introspect-new"):
            load = bench.loads(kind)["keyturn"]
            load(1.0)
            without, during, before = [], [], (revoking.published, revoking.seconds)
            for _ in range(chosen.rounds):
                without.append(load(chosen.seconds))
                with revoking.run():
                    during.append(load(chosen.seconds))
            rates = [statistics.median(each.per_second for each in results) for results in (without, during)]
            shares = [one.per_second / other.per_second for one, other in zip(during, without, strict=True)]
            p99 = [statistics.median(each.p99 for each in results) for results in (without, during)]
            published = (revoking.published - before[0]) / (revoking.seconds - before[1])
            print(
                f"{kind}: {rates[0]:.0f}/s, p99 {p99[0]:.2f} ms without;"
                f" {rates[1]:.0f}/s, p99 {p99[1]:.2f} ms with {published:.0f} revocations a second:"
                f" {statistics.median(shares):.2f}"
            )
            found.append(figure_of(kind, "without revocations", without))
            found.append(figure_of(kind, "with revocations", during, ("without revocations", without)))
            found.append(figure(f"{kind}, revocations", "with revocations", "1/s", [published]))
    provenance.hand_over(
        chosen.results,
        "revocations",
        found,
        excluded=("TLS",),
        programs=("uvloop", "Redis", "wrk"),
        busy=busy_before,
    )


if __name__ == "__main__":
    main()
