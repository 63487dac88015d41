"""A credentials service and two nodes as processes, behind nginx with the ready file."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from keyturn.stack.nginx import find_nginx
from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.signed_log.keys import LogSigningKeys
from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET, settings_for
from tests.testkit.credentials_instances import READY_SECONDS, Instance
from tests.testkit.credentials_process import environment
from tests.testkit.nginx import ready_file, serve_nginx
from tests.testkit.ports import find_free_ports
from tests.testkit.processes import Processes
from tests.testkit.single_request import until_ready

PROXY: Final = "127.0.0.1/32"
"""The only address that the services trust, and nginx's."""


@dataclass
class FleetBehindNginx:
    """The running fleet. ``variables``: environment of the credentials service, which the doctor shares."""

    settings: CredentialsSettings
    variables: dict[str, str]
    front: int
    credentials: int
    nodes: list[int]

    @asynccontextmanager
    async def nginx(
        self, directory: Path, change: Callable[[str], str] = lambda text: text, *, url: str = ""
    ) -> AsyncIterator[None]:
        """Run nginx with the ready file, changed. ``url``: where it answers, by default at the public
        URL."""
        await asyncio.to_thread(directory.mkdir)
        processes = Processes(directory)
        ready = ready_file(self.front, self.credentials, self.nodes)
        try:
            await serve_nginx(
                find_nginx(), processes, directory, change(ready), url or self.settings.base_url
            )
            yield
        finally:
            processes.end_all()


@asynccontextmanager
async def fleet_behind_nginx(directory: Path) -> AsyncIterator[FleetBehindNginx]:
    """Start the processes, and make realm ``acme``. nginx does not run yet."""
    front, *ports = find_free_ports(4)
    redis = EmbeddedRedis(directory / "redis", persistent=True).start()
    log_key = LogSigningKeys.generate_key()
    settings = settings_for(
        f"sqlite+aiosqlite:///{directory / 'keyturn.db'}",
        redis.url,
        public_url=f"http://127.0.0.1:{front}",
        log_signing_keys=log_key,
        trusted_proxies=PROXY,
        client_cert_proxies=PROXY,
    )
    trusting = {"KEYTURN_TRUSTED_PROXIES": PROXY, "KEYTURN_CLIENT_CERT_PROXIES": PROXY}
    own = environment(settings, ports[0]) | trusting | {"KEYTURN_LOG_SIGNING_KEYS": log_key}
    instances = [Instance("credentials", ports[0], settings, directory / "credentials.log", variables=own)]
    for number, port in enumerate(ports[1:], start=1):
        variables = _environment_of_node(settings, number, port) | trusting
        log = directory / f"node-{number}.log"
        instances.append(Instance(f"node-{number}", port, settings, log, "verifier", variables))
    try:
        for instance in instances:
            instance.start()
        for instance in instances:
            await until_ready(instance.url, seconds=READY_SECONDS)
        await _make_realm(instances[0].url)
        yield FleetBehindNginx(settings, own, front, ports[0], ports[1:])
    finally:
        for instance in instances:
            instance.kill()
        redis.stop()


def _environment_of_node(settings: CredentialsSettings, number: int, port: int) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("KEYTURN_")}
    return ours | {
        "KEYTURN_REDIS_URL": settings.redis_url,
        "KEYTURN_PUBLIC_URL": settings.base_url,
        "KEYTURN_PORT": str(port),
        "KEYTURN_NODE_ID": f"node-{number}",
        "KEYTURN_NODE_URL": f"http://127.0.0.1:{port}",
        "KEYTURN_FLEET_KEYS": settings.fleet_keys.get_secret_value(),
        "KEYTURN_LOG_VERIFICATION_KEYS": settings.log_keys().public_keys,
    }


async def _make_realm(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60.0) as http:
        answer = await http.post(
            "/realms/master/protocol/openid-connect/token",
            data={"grant_type": "client_credentials"},
            auth=(ADMIN_ID, ADMIN_SECRET),
        )
        bearer = {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}
        made = await http.post(
            "/admin/realms", json={"realm": "acme", "enabled": True}, headers=bearer | {"Prefer": "wait=20"}
        )
        made.raise_for_status()
