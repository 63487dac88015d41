"""nginx: the one on PATH, or Debian's packages unpacked without root."""

import asyncio
import re
import shutil
from pathlib import Path

import httpx
import pytest

from tests.support.processes import Processes
from tests.support.tools import TOOLS, ToolError, made_once, must_run, run

_SECONDS = 120.0


def find_nginx() -> Path:
    """The executable. Raises ToolError."""
    if found := shutil.which("nginx", path="/usr/sbin:/usr/local/sbin") or shutil.which("nginx"):
        return Path(found)
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise ToolError("there is no nginx: install it (here it cannot be had from Debian's packages)")
    directory = TOOLS / "nginx"
    made_once("nginx", directory / ".unpacked", str(directory), lambda: _unpack(directory))
    return directory / "nginx"


def _unpack(directory: Path) -> None:
    """nginx and what it needs that is not installed; with package lists of our own where there are none."""
    shutil.rmtree(directory, ignore_errors=True)
    lists = directory / "lists"
    (lists / "partial").mkdir(parents=True)
    options: list[str] = []
    if run(["apt-get", "--simulate", "install", "nginx"]).returncode != 0:
        options = ["-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={directory}"]
        must_run(["apt-get", *options, "-o", "APT::Sandbox::User=", "update"], seconds=_SECONDS)
    plan = must_run(["apt-get", *options, "--simulate", "--no-install-recommends", "install", "nginx"])
    packages = re.findall(r"^Inst (\S+)", plan, re.MULTILINE)
    must_run(["apt-get", *options, "download", *packages], cwd=directory, seconds=_SECONDS)
    root = directory / "root"
    for package in sorted(directory.glob("*.deb")):
        must_run(["dpkg", "-x", package, root])
    libraries = ":".join(sorted({str(found.parent) for found in root.rglob("*.so*")}))
    wrapper = directory / "nginx"
    wrapper.write_text(
        f'#!/bin/sh\nLD_LIBRARY_PATH="{libraries}" exec "{root / "usr" / "sbin" / "nginx"}" "$@"\n'
    )
    wrapper.chmod(0o755)
    must_run([wrapper, "-v"])


@pytest.fixture(scope="session")
def nginx() -> Path:
    """The executable: run it with ``-e stderr -p PREFIX -c FILE -g 'daemon off;'``."""
    return find_nginx()


async def serve_nginx(
    nginx: Path, processes: Processes, directory: Path, server_config: str, base_url: str
) -> None:
    """Start nginx with what stands in its ``http`` block, and wait until it answers at ``base_url``.

    All that it writes goes below ``directory``; it ends with ``processes``.
    """
    paths = "".join(
        f"    {name}_temp_path {directory / name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = directory / "nginx.conf"
    config.write_text(
        f"worker_processes 1;\npid {directory / 'nginx.pid'};\nerror_log stderr;\n"
        f"events {{ worker_connections 128; }}\nhttp {{\n    access_log off;\n{paths}{server_config}\n}}\n"
    )
    options = ["-e", "stderr", "-p", directory, "-c", config]
    checked = await asyncio.to_thread(run, [nginx, *options, "-t"])
    if checked.returncode:
        raise ToolError(checked.stderr)
    process = processes.start([nginx, *options, "-g", "daemon off;"])
    async with httpx.AsyncClient(trust_env=False) as http:
        for _ in range(200):
            try:
                await http.get(base_url)
            except httpx.ConnectError:
                await asyncio.sleep(0.05)
            else:
                return
    raise ToolError(process.output())
