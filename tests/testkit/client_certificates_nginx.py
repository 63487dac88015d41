"""deploy/nginx/client-certificates.conf in a real nginx, which asks callers for certificates."""

import re
from pathlib import Path
from typing import Final

from tests.testkit.nginx import serve_nginx
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes
from tests.testkit.tls import ServerTls
from tests.testkit.tools import REPOSITORY

CONFIG: Final = REPOSITORY / "deploy" / "nginx" / "client-certificates.conf"


async def serve_with_client_certificates(
    nginx: Path, processes: Processes, directory: Path, node_url: str, tls: ServerTls, port: int
) -> None:
    """Forward to a node (plain HTTP) what comes to ``port`` over TLS. Return when nginx answers."""
    config = CONFIG.read_text()
    for pattern, value in (
        (r"listen 8443 ssl", f"listen 127.0.0.1:{port} ssl"),
        (r"/etc/nginx/tls/server\.pem", str(tls.certificate)),
        (r"/etc/nginx/tls/server\.key", str(tls.key)),
    ):
        config, count = re.subn(pattern, value, config)
        assert count == 1
    plain = find_free_port()
    upstream = f"upstream verifiers {{ server {node_url.removeprefix('http://')}; }}"
    started = f"server {{ listen 127.0.0.1:{plain}; return 204; }}"
    await serve_nginx(
        nginx, processes, directory, f"{upstream}\n{started}\n{config}", f"http://127.0.0.1:{plain}"
    )
