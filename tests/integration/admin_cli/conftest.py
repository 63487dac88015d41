"""One credentials service and one node, for all tests of the command line."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET
from tests.testkit.credentials_instances import Surroundings
from tests.testkit.program import Program


@dataclass(frozen=True, slots=True)
class Services:
    """URLs of the processes."""

    credentials: str
    node: str


@pytest.fixture(scope="package")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """The processes; the node has joined the fleet."""
    directory = tmp_path_factory.mktemp("services")
    started = Surroundings(directory, "sqlite", 1, notices_check_seconds=2.0)

    async def start() -> Services:
        await started.start()
        return Services(started.instances[0].url, await started.start_node())

    try:
        running = asyncio.run(start())
        _create_realm(running.credentials)
        yield running
    finally:
        started.close()


@pytest.fixture(scope="package")
def url(services: Services) -> str:
    return services.credentials


@pytest.fixture(scope="package")
def node_url(services: Services) -> str:
    return services.node


@pytest.fixture(scope="package")
def signed_in(url: str, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program, signed in as the first administrator, in realm ``acme`` by default."""
    directory = tmp_path_factory.mktemp("config")
    secret = directory / "secret"
    secret.write_text(f"{ADMIN_SECRET}\n")
    program = Program(directory)
    program.ok("login", url, "--client-id", ADMIN_ID, "--secret-file", str(secret), "--default-realm", "acme")
    return program


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The program without a profile."""
    return Program(tmp_path)


def _create_realm(url: str) -> None:
    """Create the realm ``acme``."""
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        form = {"grant_type": "client_credentials"}
        token = http.post(
            "/realms/master/protocol/openid-connect/token", data=form, auth=(ADMIN_ID, ADMIN_SECRET)
        ).json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}", "Prefer": "wait=30"}
        http.post("/admin/realms", json={"realm": "acme"}, headers=bearer).raise_for_status()
