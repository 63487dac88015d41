"""Effect on other callers of a connection that drips or floods a server.

The attack is a separate process that reconnects when its connection is ended. One honest caller sends
requests all the while, one at a time. The server has one core, everything else the other one.

    python -m benchmarks.drip [--seconds 60] [--server node] [--kind "flooded head"] [--json]
"""

import argparse
import asyncio
import json
import sys
from dataclasses import asdict

from benchmarks.drip.attacker import HANDSHAKES, KINDS
from benchmarks.drip.run import SERVERS, measure, take_precedence


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each attack")
    parser.add_argument("--before", type=float, help="seconds before each attack; as many as of it")
    parser.add_argument("--rounds", type=int, default=1, help="of quiet time and attack, in turn")
    parser.add_argument("--server", choices=SERVERS, action="append")
    parser.add_argument("--kind", choices=[*KINDS, *HANDSHAKES], action="append")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    before = chosen.seconds if chosen.before is None else chosen.before
    take_precedence()
    good = True
    for server in chosen.server or SERVERS:
        measuring = measure(
            server, chosen.kind, before_seconds=before, seconds=chosen.seconds, rounds=chosen.rounds
        )
        for each in asyncio.run(measuring):
            good = good and each.is_undisturbed
            if chosen.json:
                print(json.dumps(asdict(each)), flush=True)
                continue
            print(
                f"{server}, {each.kind}: p50 {each.before.p50:.2f} -> {each.during.p50:.2f} ms,"
                f" p99 {each.before.p99:.2f} -> {each.during.p99:.2f} ms"
                f" ({each.during.p99 / each.before.p99:.1f}x),"
                f" core {each.busy_before:.0%} -> {each.busy_during:.0%},"
                f" memory {each.memory_before:.1f} -> {each.memory_after:.1f} MiB,"
                f" answers {each.during.statuses},"
                f" {each.octets / 1e6:.1f} MB over {each.connections} connections, {each.ended} ended",
                flush=True,
            )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
