"""Cost of a call through the base URL of a local stack, compared with a call to the service itself.

Starts ``keyturn up`` on its own data directory. Two kinds of calls on kept-alive connections: GET of a client
at the admin API, and a token by secret at a node. Both routes alternate, call by call, so that other load
affects both alike. Exits with 1 when the gateway costs more than ``--limit`` ms, p50.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from keyturn.local.ports import ReservedPort

_REALM, _CLIENT, _SECRET = "measured", "caller", "a-secret-of-32-characters-or-more"
_READY_SECONDS = 90.0
_STOP_SECONDS = 30.0
Call = Callable[[str], httpx.Response]
_TOKEN = "/realms/{realm}/protocol/openid-connect/token"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=500, help="of each kind, each way")
    parser.add_argument("--limit", type=float, default=3.0, help="milliseconds")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        data, port = Path(directory) / "data", _free_port()
        command = [sys.executable, "-m", "keyturn", "up", "--nodes", "1", "--port", str(port), "--no-demo"]
        stack = subprocess.Popen(
            [*command, "--data-dir", str(data)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            added = _measure(_read(stack, data / "local.json"), data, arguments.calls)
        finally:
            stack.terminate()
            stack.wait(_STOP_SECONDS)
    return 1 if added > arguments.limit else 0


def _measure(local: dict[str, Any], data: Path, calls: int) -> float:
    """Print the measurements; return the milliseconds that the gateway adds to the slower kind."""
    admin = local["admin"]
    credentials = _credentials_url(data)
    with httpx.Client(trust_env=False, timeout=30) as http:

        def ask(base_url: str, realm: str, client_id: str, secret: str) -> httpx.Response:
            form = {"grant_type": "client_credentials"}
            return http.post(base_url + _TOKEN.format(realm=realm), data=form, auth=(client_id, secret))

        login = ask(local["base_url"], admin["realm"], admin["client_id"], admin["client_secret"])
        bearer = {"Authorization": f"Bearer {login.json()['access_token']}"}
        path = _make_client(http, local["base_url"], bearer)

        def client(base_url: str) -> httpx.Response:
            return http.get(base_url + path, headers=bearer)

        def token(base_url: str) -> httpx.Response:
            return ask(base_url, _REALM, _CLIENT, _SECRET)

        print(f"{'':24}{'at the service':>18}{'base URL':>12}{'added':>10}")
        added = [
            _compare("GET of a client", client, credentials, local["base_url"], calls),
            _compare("token by secret", token, local["nodes"][0]["base_url"], local["base_url"], calls),
        ]
    return max(added)


def _make_client(http: httpx.Client, base_url: str, bearer: dict[str, str]) -> str:
    """Create a realm with a client, known to every node; return the client's path."""
    headers = bearer | {"Prefer": "wait=30"}
    realms = f"{base_url}/admin/realms"
    http.post(realms, json={"realm": _REALM, "enabled": True}, headers=headers).raise_for_status()
    representation = {"clientId": _CLIENT, "secret": _SECRET, "serviceAccountsEnabled": True}
    made = http.post(f"{realms}/{_REALM}/clients", json=representation, headers=headers)
    made.raise_for_status()
    return httpx.URL(made.headers["location"]).path


def _compare(
    name: str, call: Callable[[str], httpx.Response], direct: str, through: str, calls: int
) -> float:
    took: dict[str, list[float]] = {direct: [], through: []}
    for number in range(calls + calls // 10):
        for base_url, figures in took.items():
            begun = time.perf_counter()
            answer = call(base_url)
            seconds = time.perf_counter() - begun
            answer.raise_for_status()
            if number >= calls // 10:  # after some to warm up
                figures.append(1000 * seconds)
    first, second = (statistics.median(figures) for figures in took.values())
    print(f"{name:24}{first:15.2f} ms{second:9.2f} ms{second - first:7.2f} ms")
    return second - first


def _credentials_url(data: Path) -> str:
    """Return the service's own URL, which only the gateway's configuration names."""
    lines = (data / "gateway" / "nginx.conf").read_text().splitlines()
    upstream = lines.index("    upstream credentials {")
    return f"http://{lines[upstream + 1].split()[1].rstrip(';')}"


def _read(stack: subprocess.Popen[bytes], path: Path) -> dict[str, Any]:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and stack.poll() is None:
        if path.exists():
            local: dict[str, Any] = json.loads(path.read_text())
            return local
        time.sleep(0.1)
    raise SystemExit("keyturn up was not ready in time")


def _free_port() -> int:
    with ReservedPort() as port:
        return port.number


if __name__ == "__main__":
    sys.exit(main())
