"""Redis behind Sentinels, as a Cluster, and with the users of deploy/redis: nothing is wrong with them."""

from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from keyturn.doctor.findings import Area
from keyturn_shared.redis_client import connect
from tests.integration.doctor.examining import diagnosed, installed
from tests.testkit.admin_api import settings_for
from tests.testkit.processes import Processes
from tests.testkit.redis_cluster import FullCluster
from tests.testkit.redis_groups import SentinelGroup, start_server
from tests.testkit.waiting import wait_until

_AREAS = frozenset({Area.REDIS, Area.FLEET, Area.PARTITIONS, Area.KEY_SETS})
_USERS = Path(__file__).parents[3] / "deploy" / "redis" / "users.acl"
_PASSWORD = "of-credentials"


async def _found(tmp_path: Path, url: str, admin: Redis) -> tuple[list[str], int]:
    settings = settings_for(f"sqlite+aiosqlite:///{tmp_path / 'keyturn.db'}", url)
    async with installed(settings, admin):
        return await diagnosed(settings, _AREAS)


async def test_a_redis_behind_sentinels(processes: Processes, tmp_path: Path) -> None:
    group = await SentinelGroup.start(processes, tmp_path)
    admin = connect(group.url)
    assert await _found(tmp_path, group.url, admin) == ([], 0)
    await admin.aclose()


async def test_a_cluster(processes: Processes, tmp_path: Path) -> None:
    cluster = await FullCluster.start(processes, tmp_path / "redis")
    admin = connect(cluster.url)
    assert await _found(tmp_path, cluster.url, admin) == ([], 0)
    await admin.aclose()


async def test_the_users_of_the_deployment(processes: Processes, tmp_path: Path) -> None:
    """The doctor needs no right that the credentials service does not have."""
    text = _USERS.read_text().replace(
        "user keyturn-credentials on >change-me", f"user keyturn-credentials on >{_PASSWORD}"
    )
    users = tmp_path / "users.acl"
    users.write_text(text + "user admin on >of-admin ~* &* +@all\n")
    server = start_server(processes, tmp_path, aclfile=str(users), appendonly="yes")
    admin = connect(f"redis://admin:of-admin@127.0.0.1:{server.port}/0")

    async def answers() -> bool:
        try:
            return bool(await admin.ping())
        except (RedisError, OSError):
            return False

    await wait_until(answers)
    url = f"redis://keyturn-credentials:{_PASSWORD}@127.0.0.1:{server.port}/0"
    settings = settings_for(f"sqlite+aiosqlite:///{tmp_path / 'keyturn.db'}", url, partitions=3)
    async with installed(settings, admin, node=False):
        assert await diagnosed(settings, _AREAS) == (["fleet_empty"], 1)
    await admin.aclose()
