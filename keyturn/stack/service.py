"""A service as a child of the local stack: it ends when the stack ends for any reason."""

import os
import signal
import sys
import threading
import time
from typing import Final

from keyturn.services import run_service

FAREWELL_SECONDS: Final = 3.0


def end_with(pipe: int) -> None:
    """Block until the other end of the pipe is closed, then end this process, cleanly if possible."""
    while os.read(pipe, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(FAREWELL_SECONDS)
    os._exit(1)


def main() -> None:
    # A watching thread, not PR_SET_PDEATHSIG: the service can still leave the fleet.
    threading.Thread(target=end_with, args=(sys.stdin.fileno(),), daemon=True, name="stack-watch").start()
    sys.exit(run_service(sys.argv[1]))


if __name__ == "__main__":
    main()
