"""Workers serve TLS themselves, and a reload brings a new certificate."""

import signal
import ssl
from pathlib import Path

from keyturn_shared.projection import RealmProjection
from tests.integration.workers.several_workers import SECRET, start_node, until_ended
from tests.testkit.filled_redis import Filling, client_of
from tests.testkit.processes import Processes
from tests.testkit.tls import ServerTls, trusting
from tests.testkit.waiting import wait_until


async def test_a_reload_brings_the_new_certificate_and_a_broken_one_changes_nothing(
    filling: Filling, realm: RealmProjection, redis_url: str, processes: Processes, tmp_path: Path
) -> None:
    await filling.change(realm, client_of(realm, "worker", secret=SECRET))
    tls = ServerTls.make(tmp_path)
    node = await start_node(
        processes,
        filling,
        redis_url,
        tls=trusting(tls, tmp_path),
        KEYTURN_TLS_CERTIFICATE_PATH=str(tls.certificate),
        KEYTURN_TLS_KEY_PATH=str(tls.key),
    )
    before = await node.pids()
    for _ in range(4):
        caller = node.caller()
        assert await caller.ask() == 200
        caller.close()

    good = tls.certificate.read_bytes()
    tls.certificate.write_bytes(b"")
    node.parent.signal(signal.SIGHUP)
    await wait_until(lambda: "replacement_failed" in node.parent.output())
    assert await node.pids() == before
    tls.certificate.write_bytes(good)

    ServerTls.make(tmp_path)
    node.tls = trusting(tls, tmp_path)
    node.parent.signal(signal.SIGHUP)
    await until_ended(before)
    for _ in range(4):
        caller = node.caller()
        assert await caller.ask() == 200
        caller.close()
    assert isinstance(node.tls, ssl.SSLContext)
