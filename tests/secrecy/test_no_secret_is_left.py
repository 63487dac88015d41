"""Invariant 8 on a real stack: database, Redis, logs, metrics, audit, events and error answers."""

from contextlib import closing
from pathlib import Path

import pytest
from redis import Redis

from tests.secrecy.keys_in_use import use_keys
from tests.secrecy.realms_in_use import ALGORITHMS, note_realm_keys, use_realms
from tests.secrecy.recorder import Recorder
from tests.secrecy.secrets_in_use import use_digests_only, use_secrets
from tests.secrecy.tokens_in_use import use_tokens
from tests.testkit.local_stack import RunningStack

REALM = "acme"
MEANT_TO_HOLD_SECRETS = {"secrets.env", "local.json", "redis/redis.conf"}


def dump_redis(stack: RunningStack) -> None:
    """Write all of it to a file, uncompressed, so that it can be searched."""
    with Redis.from_url(stack.local["redis_url"], socket_timeout=10) as redis:
        redis.config_set("rdbcompression", "no")
        redis.save()
        assert redis.dbsize() > 0


def read_files(directory: Path) -> dict[str, bytes]:
    files = [path for path in directory.rglob("*") if path.is_file()]
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def read_environment(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def use_everything(stack: RunningStack) -> Recorder:
    recorder = Recorder(stack)
    with closing(recorder.http):
        _use(recorder)
    return recorder


def _use(recorder: Recorder) -> None:
    stack = recorder.stack
    recorder.create("", {"realm": REALM})
    use_realms(recorder)
    known = use_secrets(recorder, REALM)
    use_digests_only(recorder, "digests")
    use_keys(recorder, REALM)
    use_tokens(recorder, REALM, known)
    for url in (stack.base_url, *stack.node_urls):
        recorder.send("GET", f"{url}/metrics")
        recorder.send("GET", f"{url}/health/ready")
    for accept in ("application/json", "application/jsonl"):
        assert len(recorder.admin("GET", f"/{REALM}/audit?max=1000", accept=accept).text) > 5000
    recorder.admin("GET", f"/{REALM}/fleet")
    environment = read_environment(stack.data / "secrets.env")
    for name in ("KEYTURN_ENCRYPTION_KEYS", "KEYTURN_FLEET_KEYS", "KEYTURN_LOG_SIGNING_KEYS"):
        recorder.note(name, environment[name])
    kept = note_realm_keys(recorder, stack.data / "keyturn.db", environment["KEYTURN_ENCRYPTION_KEYS"])
    assert kept > len(ALGORITHMS)


@pytest.mark.timeout(180)
def test_no_secret_and_no_private_key_is_left_anywhere(tmp_path: Path) -> None:
    stack = RunningStack(tmp_path / "data", nodes=1, KEYTURN_LOG_LEVEL="debug").start()
    try:
        recorder = use_everything(stack)
        dump_redis(stack)
        while_running = read_files(stack.data)
        modes = {name: (stack.data / name).stat().st_mode & 0o777 for name in MEANT_TO_HOLD_SECRETS}
    finally:
        stack.end()
    after_the_end = read_files(stack.data)
    assert modes == dict.fromkeys(MEANT_TO_HOLD_SECRETS, 0o600)
    needles = recorder.needles
    for name in MEANT_TO_HOLD_SECRETS - {"redis/redis.conf"}:
        assert needles.found_in(while_running[name]), "the search has to be one that finds something"
    assert {"redis/dump.rdb", "keyturn.db", "keyturn.db-wal", "logs/credentials.log"} <= while_running.keys()
    assert len(while_running["redis/dump.rdb"]) > 20_000
    left = [("running", *each) for each in while_running.items()]
    left += [("stopped", *each) for each in after_the_end.items()]
    leaks = {
        f"{moment}: {name}": found
        for moment, name, data in left
        if name not in MEANT_TO_HOLD_SECRETS and (found := needles.found_in(data))
    }
    leaks |= {call: found for call, said in recorder.said if (found := needles.found_in(said))}
    # The terminal shows the first admin's secret at the very first start, and says so.
    leaks["terminal"] = needles.found_in(stack.output.read_bytes()) - {"the first admin's secret"}
    said = "\n".join(f"{place}: {sorted(found)}" for place, found in leaks.items() if found)
    assert not said, f"secrets were left behind\n{said}"
