"""nginx, from the local stack's wheel."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import httpx
import pytest

from keyturn.stack.nginx import find_nginx, nginx_command
from tests.testkit.processes import Processes
from tests.testkit.tools import REPOSITORY, ToolError, run

READY_FILE: Final = REPOSITORY / "deploy" / "nginx" / "keyturn.conf"
KEPT_CONNECTIONS: Final = REPOSITORY / "deploy" / "nginx" / "kept-connections.conf"
_CREDENTIALS_LINE: Final = re.compile(r"    server credentials:8080(.*;)\n")
_NODE_LINE: Final = "    server verifier-{}:8080 max_fails=0;\n"


@pytest.fixture(scope="session")
def nginx() -> Path:
    """The executable."""
    return find_nginx()


async def serve_nginx(
    nginx: Path, processes: Processes, directory: Path, server_config: str, base_url: str
) -> None:
    """Start nginx with this content of its ``http`` block, and wait until it answers at ``base_url``."""
    paths = "".join(
        f"    {name}_temp_path {name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = (
        "master_process off;\npid nginx.pid;\nerror_log stderr;\n"
        f"events {{ worker_connections 256; }}\nhttp {{\n    access_log off;\n{paths}{server_config}\n}}\n"
    )
    await serve_configuration(nginx, processes, directory, configuration, base_url)


async def serve_configuration(
    nginx: Path, processes: Processes, directory: Path, configuration: str, base_url: str
) -> None:
    """Start nginx with a whole configuration, and wait until it answers at ``base_url``. All its files are
    below ``directory``; it ends with ``processes``."""
    (directory / "nginx.conf").write_text(configuration)
    command = nginx_command(nginx, directory)
    checked = await asyncio.to_thread(run, [*command, "-t"])
    if checked.returncode:
        raise ToolError(checked.stderr)
    process = processes.start(command)
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        for _ in range(1200):
            try:
                await http.get(base_url)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
                if not process.alive:
                    break
            else:
                return
    raise ToolError(process.output())


def ready_file(
    front: int, credentials: int | Sequence[int], nodes: Sequence[int], path: Path = READY_FILE
) -> str:
    """Return deploy/nginx/keyturn.conf with these ports and nodes, otherwise unchanged. ``credentials``: the
    ports behind its one name, which nginx takes for as many servers. ``path``: that file of a release."""
    text = path.read_text().replace("listen 8080", f"listen 127.0.0.1:{front}")
    ports = [credentials] if isinstance(credentials, int) else credentials
    text, found = _CREDENTIALS_LINE.subn(
        lambda line: "".join(f"    server 127.0.0.1:{port}{line[1]}\n" for port in ports), text
    )
    assert found == 1, "the ready file names the credentials service in another way"
    named = _NODE_LINE.format(1) + _NODE_LINE.format(2)
    assert text.count(named) == 1, "the ready file names its nodes in another way"
    lines = (f"    server 127.0.0.1:{port} max_fails=0;\n" for port in nodes)
    return text.replace(named, "".join(lines))
