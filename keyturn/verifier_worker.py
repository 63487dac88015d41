"""One of the processes of ``keyturn verifier --workers``. Arguments: its number, and its descriptor."""

import sys

from keyturn.services import run_worker


def main() -> None:
    sys.exit(run_worker(int(sys.argv[1]), int(sys.argv[2])))


if __name__ == "__main__":
    main()
