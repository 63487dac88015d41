"""Time from the call that ends a compromised secret to the last node refusing it.

A local stack with several nodes. For each client in turn: every node accepts its secret; a rotation with the
reason ``compromised`` is begun, waiting for the fleet; when the call returns, every node is asked once more
and must refuse. The time is that of the call, on a connection kept open, through the gateway. Exits with 1 if
any node accepts a secret after that, or the call does not confirm.

    python -m benchmarks.rotations.compromised --nodes 5 --clients 200
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import httpx

from tests.testkit.local_stack import Admin, RunningStack, token_url

REALM: Final = "measured"
_FORM: Final = {"grant_type": "client_credentials"}


def measure(stack: RunningStack, clients: int) -> tuple[list[float], int]:
    """Return the milliseconds of each call, and the number of those that did not end a secret in time."""
    admin = Admin(stack, REALM)
    admin.make_realm()
    took, bad = [], 0
    with httpx.Client(trust_env=False, timeout=30) as http:
        for number in range(clients):
            name = f"client-{number}"
            uuid = admin.make_client(name)
            secret = admin.secret(uuid)

            def statuses(name: str = name, secret: str = secret) -> set[int]:
                urls = [token_url(url, REALM) for url in stack.node_urls]
                return {http.post(url, data=_FORM, auth=(name, secret)).status_code for url in urls}

            if statuses() != {200}:
                raise AssertionError("a node does not accept a secret that is valid")
            begun = time.perf_counter()
            answer = admin.call("POST", f"/clients/{uuid}/rotations", json={"reason": "compromised"})
            took.append(1000 * (time.perf_counter() - begun))
            bad += answer.headers.get("Preference-Applied") != "wait" or statuses() != {401}
    return took, bad


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=5)
    parser.add_argument("--clients", type=int, default=200)
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        RunningStack(Path(directory) / "data", "--no-demo", nodes=chosen.nodes) as stack,
    ):
        took, bad = measure(stack.start(), chosen.clients)
    took.sort()
    p99 = took[int(0.99 * (len(took) - 1))]
    print(
        f"{len(took)} compromised secrets, {chosen.nodes} nodes: p50 {statistics.median(took):.1f} ms,"
        f" p99 {p99:.1f} ms, longest {took[-1]:.1f} ms; {bad} accepted afterwards, or not confirmed"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
