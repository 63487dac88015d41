"""``keyturn realm-keys`` prints what a limited node needs and no more, while the service runs."""

import os
import subprocess
import sys
from pathlib import Path

from redis.asyncio import Redis

from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.sealing import KeyRing
from tests.integration.limited_nodes.scene import (
    SECRET,
    Limited,
    limited_node,
    make_realm,
    service_settings,
)
from tests.testkit.admin_api import running


def keyturn(settings: CredentialsSettings, *names: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KEYTURN_")}
    environment = kept | {"KEYTURN_DATABASE_URL": settings.database_url, **variables}
    command = [sys.executable, "-m", "keyturn.cli", "realm-keys", *names]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


async def test_what_it_prints_makes_a_node_of_these_realms(scene: Limited, tmp_path: Path) -> None:
    keys = scene.api.settings.fleet_keys.get_secret_value()
    (tmp_path / "fleet_keys").write_text(keys + "\n")
    by_file = {"KEYTURN_FLEET_KEYS_FILE": str(tmp_path / "fleet_keys")}
    printed = keyturn(scene.api.settings, "acme", "beta", "acme", **by_file)
    assert (printed.returncode, printed.stderr) == (0, "")
    assert keys not in printed.stdout
    assert printed.stdout.count("\n") == 1
    async with limited_node(scene.api, printed.stdout.strip()) as node:
        for realm, status in (("acme", 200), ("beta", 200), ("master", 404)):
            assert (await node.token_by_secret(realm, "by-secret", SECRET)).status_code == status


async def test_a_realm_that_there_is_not_is_named_and_nothing_is_printed(scene: Limited) -> None:
    keys = {"KEYTURN_FLEET_KEYS": scene.api.settings.fleet_keys.get_secret_value()}
    refused = keyturn(scene.api.settings, "acme", "nobody", **keys)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "keyturn: realm nobody does not exist\n"


async def test_without_the_fleet_keys_it_says_so_in_one_line(scene: Limited) -> None:
    refused = keyturn(scene.api.settings, "acme")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "keyturn: KEYTURN_FLEET_KEYS: required, but not set\n"


async def test_it_says_when_these_keys_would_not_open_anything_yet(
    tmp_path: Path, redis: Redis, redis_url: str
) -> None:
    """Either the service does not encrypt by realm, or it has other fleet keys."""
    async with running(service_settings(tmp_path, redis_url, realm_seals=False)) as api:
        await make_realm(api, "acme", SigningKey.generate())
        keys = api.settings.fleet_keys.get_secret_value()
        for given in (keys, KeyRing.generate_key()):
            told = keyturn(api.settings, "acme", KEYTURN_FLEET_KEYS=given)
            assert told.returncode == 0
            assert told.stdout
            assert told.stderr.startswith("keyturn: the projections of realm acme are not sealed")
            assert told.stderr.count("\n") == 1
