"""``python -m benchmarks.key_sets [--quick]``: prints one JSON object a run."""

import argparse
import json
import sys
from collections.abc import Coroutine
from dataclasses import asdict
from typing import Any

import uvloop

from benchmarks.key_sets import assertions, callers, memory, polling
from benchmarks.key_sets.surroundings import move, redis_server

RUNS = ("capacity", "good", "bad", "junk", "rotations", "memory")


async def rotations(count: int, clients: int) -> assertions.AssertionResult:
    with redis_server() as redis_url:
        return await assertions.run(redis_url, count, clients, withdrawal=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.key_sets", description=__doc__)
    parser.add_argument("--urls", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--only", nargs="+", choices=RUNS)
    options = parser.parse_args()
    scale = 10 if options.quick else 1
    urls, seconds = options.urls // scale, options.seconds / scale
    move(0, last=False)
    runs: dict[str, tuple[Any, ...]] = {
        "capacity": (polling.run, urls, 0.0, seconds / 3),
        "good": (polling.run, urls, 0.0, seconds),
        "bad": (polling.run, urls, 0.1, seconds),
        "junk": (callers.junk, 100_000 // scale, seconds),
        "rotations": (rotations, 1000 // scale, 50 // scale),
        "memory": (memory.run, 20_000 // scale, 2),
    }
    for name, (run, *arguments) in runs.items():
        if options.only is None or name in options.only:
            named = {"at_once": name == "capacity"} if run is polling.run else {}
            job: Coroutine[Any, Any, Any] = run(*arguments, **named)
            sys.stdout.write(json.dumps({"run": name, **asdict(uvloop.run(job))}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
