"""Prepares all tools of the tests before they run: ``python -m tests.testkit.prepare``."""

import sys

from keyturn.local.errors import StackError
from keyturn.stack.nginx import find_nginx
from keyturn.stack.redis_server import RedisServerError, find_redis_server
from tests.testkit.chromium import unpack_chromium
from tests.testkit.helm import build_helm
from tests.testkit.pgbouncer import find_pgbouncer
from tests.testkit.promtool import find_promtool
from tests.testkit.softhsm import find_softhsm
from tests.testkit.systemd import find_systemd_analyze
from tests.testkit.tools import ToolError


def main() -> int:
    """Exit with 1 and the reason if a tool is not available."""
    try:
        find_redis_server()
        unpack_chromium()
        find_nginx()
        find_pgbouncer()
        find_promtool()
        find_systemd_analyze()
        build_helm()
        find_softhsm()
    except (RedisServerError, StackError, ToolError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
