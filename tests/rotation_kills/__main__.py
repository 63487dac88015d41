"""``make rotation-kills``: clients rotate their secrets and keys by policy for two minutes, while instances
of the credentials service, nodes, Redis and the clients themselves are killed."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.rotation_kills.run import TOKENS_A_SECOND, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="rotation-kills", description=__doc__)
    parser.add_argument("--clients", type=int, default=40)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--pause", type=float, default=4.0, help="mean seconds between kills; 0: none")
    parser.add_argument("--overlap", type=int, default=15, help="seconds with both credentials valid")
    parser.add_argument("--rate", type=float, default=TOKENS_A_SECOND, help="requests for tokens a second")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="keyturn-rotation-kills-"))
    verdict = asyncio.run(run(directory, **vars(chosen)))
    print(f"killed: {dict(verdict.kills)}; rotations done: {dict(verdict.done)}")
    print(f"answers: {dict(verdict.answers)}")
    for line in verdict.wrong[:50]:
        print(f"WRONG: {line}")
    print(f"{'FAILED' if verdict.wrong else 'passed'}; seed {chosen.seed}; logs in {directory}")
    return 1 if verdict.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
