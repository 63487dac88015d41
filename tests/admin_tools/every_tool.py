"""Keycloak's tools administer keyturn unmodified. ``make admin-tools`` runs this.

docs/keycloak-compatibility.md lists the calls that work.
"""

import asyncio
import json
import re
from pathlib import Path

import pytest
from starlette.routing import Route

from tests.admin_tools.ansible_playbook import PLAYBOOK, run_playbook
from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET, AdminApi
from tests.testkit.documented_calls import documented, shape
from tests.testkit.fixtures.credentials_service import api
from tests.testkit.maven import run_java
from tests.testkit.served import served

__all__ = ["api"]

_OF_OTHER_TESTS = ("IdentityProvider", "UsersResource.")
"""Identity providers are trusted issuers here; of users, there are service accounts."""
_JAVA = Path(__file__).parent / "java"
pytestmark = pytest.mark.timeout(900)  # the first run downloads and compiles


async def test_the_java_admin_client_works_unmodified(api: AdminApi) -> None:
    async with served(api.app) as base_url:
        environment = {"BASE_URL": base_url, "CLIENT_ID": ADMIN_ID, "CLIENT_SECRET": ADMIN_SECRET}
        ended = await asyncio.to_thread(
            run_java, _JAVA / "Administer.java", _JAVA / "keycloak-admin-client", environment=environment
        )
    assert ended.returncode == 0, ended.stderr
    seen = json.loads(ended.stdout)
    print("\n".join(f"| `{call}` | yes |" for call in seen["worked"]))
    served_here = {
        (method, shape(route.path))
        for route in api.app.routes
        if isinstance(route, Route)
        for method in route.methods or ()
    }
    calls = {
        name.split()[0]
        for name, (method, address) in seen["addresses"].items()
        if (method, shape(address)) in served_here and not name.startswith(_OF_OTHER_TESTS)
    }
    print(calls - set(seen["worked"]))
    assert documented("keycloak-admin-client for Java") == seen["worked"]
    assert calls == {name for name in seen["worked"] if not name.startswith(_OF_OTHER_TESTS)}


async def test_ansible_works_unmodified_and_finds_nothing_to_change_the_second_time(api: AdminApi) -> None:
    async with served(api.app) as base_url:
        environment = {"BASE_URL": base_url, "CLIENT_ID": ADMIN_ID, "CLIENT_SECRET": ADMIN_SECRET}
        ended = await asyncio.to_thread(run_playbook, environment)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    tasks = PLAYBOOK.with_name("present.yml").read_text() + PLAYBOOK.with_name("absent.yml").read_text()
    modules = dict.fromkeys(re.findall(r"^- community\.general\.(\w+):", tasks, re.MULTILINE))
    assert documented("Ansible") == list(modules)
