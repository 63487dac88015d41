"""Make every tool the tests need, before they run: ``python -m tests.support.prepare``."""

import sys

from keyturn.stack.redis_server import RedisServerError, find_redis_server
from tests.support.chromium import unpack_chromium
from tests.support.nginx import find_nginx
from tests.support.tools import ToolError


def main() -> int:
    """Exit code 1 with the reason when a tool cannot be had."""
    try:
        find_redis_server()
        unpack_chromium()
        find_nginx()
    except (RedisServerError, ToolError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
