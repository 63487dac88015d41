"""Files for programs that read files only, and the agent's socket."""

import asyncio
import logging
import os
import signal
import socket
import stat
from pathlib import Path
from typing import Any

import httpx
import pytest

from keyturn import ClientCredentials, ClientSecret
from keyturn.agent.files import FileWriter
from keyturn.agent.listening import identity, listen, listen_for_keys, remove
from keyturn.agent.settings import AgentSettings, AgentSettingsError, WrittenFile
from keyturn.agent.tokens import Tokens
from keyturn.client.access_token import NoTokenError
from keyturn_shared.tasks import end_tasks
from tests.testkit.waiting import in_time, wait_until

ISSUER = "https://id.example.test/realms/acme"


class EnoughError(Exception):
    """Ends a task that runs for ever."""


def writer(file: WrittenFile, secret: ClientSecret, statuses: list[int], **options: Any) -> FileWriter:
    """Return a writer whose token endpoint answers with these statuses, and then with tokens."""

    def answer(_: httpx.Request) -> httpx.Response:
        if statuses:
            return httpx.Response(statuses.pop(0))
        return httpx.Response(200, json={"access_token": "a token", "expires_in": 300})

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    tokens = Tokens(lambda scope, resource: ClientCredentials(ISSUER, "orders", secret, scope=scope))
    return FileWriter(file, secret, tokens, http, **options)


async def test_a_secret_is_written_when_it_changes_and_its_command_runs(tmp_path: Path) -> None:
    path, runs = tmp_path / "secret", tmp_path / "runs"
    command = ["sh", "-c", f"cat {path} >> {runs}; env | grep -c KEYTURN_AGENT >> {runs}"]
    file = WrittenFile(path=str(path), holds="secret", mode="0640", command=command)
    secret = ClientSecret("first")
    kept = writer(file, secret, [])
    for _ in range(3):
        assert await kept.update() == 1.0
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("first", 0o640)
    secret.use("second")
    await kept.update()
    assert path.read_text() == "second"
    assert runs.read_text() == "first0\nsecond0\n", (
        "once for each change, without the secret in its environment"
    )
    await writer(file, secret, []).update()
    assert runs.read_text() == "first0\nsecond0\n", "nor after a restart, as long as it is the same"
    assert set(os.listdir(tmp_path)) == {"runs", "secret"}


async def test_an_environment_file_is_followed_by_a_signal(tmp_path: Path) -> None:
    path, pid_file = tmp_path / "orders.env", tmp_path / "orders.pid"
    reader = await asyncio.create_subprocess_exec("sleep", "60")
    pid_file.write_text(f"{reader.pid}\n")
    file = WrittenFile(
        path=str(path),
        holds="secret",
        format="env",
        name="ORDERS_SECRET",
        group=str(os.getgid()),
        signal="USR1",
        pid_file=str(pid_file),
    )
    await writer(file, ClientSecret('$a"b'), []).update()
    assert path.read_text() == 'ORDERS_SECRET="\\$a\\"b"\n'
    assert await in_time(reader.wait()) == -signal.SIGUSR1
    pid_file.unlink()
    await writer(file, ClientSecret('$a"b'), []).update()  # nothing has changed, so nothing is sent


async def test_a_file_is_given_to_its_owner_before_it_is_there(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    await writer(WrittenFile(path=str(path), holds="secret"), ClientSecret("first"), []).update()
    # Only root may give a file to somebody else; anybody else to himself.
    owner, group = (65534, 65533) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    file = WrittenFile(path=str(path), holds="secret", owner=str(owner), group=str(group), mode="0440")
    await writer(file, ClientSecret("first"), []).update()
    found = path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (owner, group, 0o440)
    assert path.read_text() == "first"


async def test_the_status_tells_when_the_file_was_current_and_why_it_is_not(tmp_path: Path) -> None:
    path = tmp_path / "none" / "token"
    kept = writer(WrittenFile(path=str(path), holds="token"), ClientSecret("first"), [500])
    with pytest.raises(NoTokenError):
        await kept.update()
    assert kept.status.shown() == {"current": False, "last_success": None, "last_error": "NoTokenError"}
    with pytest.raises(FileNotFoundError):
        await kept.update()
    assert str(kept.status.shown()["last_error"]).endswith(": No such file or directory")
    path.parent.mkdir()
    await kept.update()
    assert kept.status.shown()["current"] is True


async def test_a_command_ends_with_the_agent(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    command = ["sh", "-c", f"echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 60"]
    file = WrittenFile(path=str(tmp_path / "secret"), holds="secret", command=command)
    running = asyncio.create_task(writer(file, ClientSecret("first"), []).run())

    async def has_begun() -> bool:
        return pid.exists()

    await wait_until(has_begun)
    await end_tasks(running)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


async def test_a_token_is_written_again_before_it_expires(tmp_path: Path) -> None:
    path = tmp_path / "token"
    kept = writer(WrittenFile(path=str(path), holds="token"), ClientSecret("first"), [])
    assert 200 < await kept.update() <= 270
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("a token", 0o600)


async def test_the_task_survives_all_failures_without_telling_what_it_writes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "token"
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            path.mkdir()  # a directory of that name cannot be replaced
        if len(waited) == 3:
            path.rmdir()
        if len(waited) == 4:
            raise EnoughError

    file = WrittenFile(path=str(path), holds="token", command=["/no/such/program"])
    kept = writer(file, ClientSecret("first"), [500, 401], sleep=sleep)
    with caplog.at_level(logging.WARNING), pytest.raises(EnoughError):
        await kept.run()
    assert all(most / 2 <= seconds <= most for seconds, most in zip(waited, (1, 2, 4), strict=False)), waited
    assert path.read_text() == "a token"
    told = [record.getMessage() for record in caplog.records]
    assert told[-1] == "/no/such/program cannot be run: No such file or directory"
    assert len(told) == 4
    assert "a token" not in str(told)


def settings(path: Path) -> AgentSettings:
    return AgentSettings(issuer=ISSUER, client_id="orders", state="s", socket=str(path))


def test_the_socket_is_for_its_user_only_and_replaces_one_that_is_dead(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    for _ in range(2):  # the second time the first one is there still
        with listen(settings(path)):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            with pytest.raises(AgentSettingsError, match="another program is listening on it"):
                listen(settings(path))
    assert path.exists()


def test_an_agent_removes_its_own_socket_and_no_other(tmp_path: Path) -> None:
    """The next one may have started while the former one finished its requests."""
    wanted = settings(tmp_path / "agent.sock")
    with listen(wanted):
        former = identity(wanted)
    assert former is not None
    (tmp_path / "agent.sock").rename(tmp_path / "kept")  # so that its number is not given again
    with listen(wanted):
        remove(wanted, former)
        own = identity(wanted)
        assert own not in (None, former)
        remove(wanted, own)
    assert identity(wanted) is None


def test_a_file_of_that_name_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    path.write_text("precious")
    with pytest.raises(AgentSettingsError, match="there is another file of this name"):
        listen(settings(path))
    assert path.read_text() == "precious"


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        wanted = AgentSettings(issuer=ISSUER, client_id="orders", state="s", port=port)
        with pytest.raises(AgentSettingsError, match=f"port {port}: Address already in use"):
            listen(wanted)


def test_permissions_of_later_files_are_not_changed(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with listen(settings(tmp_path / "agent.sock")):
            (tmp_path / "later").touch()
        assert stat.S_IMODE((tmp_path / "later").stat().st_mode) == 0o644
    finally:
        os.umask(before)


@pytest.mark.parametrize(("host", "url"), [(None, "127.0.0.1"), ("::1", "::1")])
def test_the_key_set_has_a_socket_of_its_own(host: str | None, url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    wanted = AgentSettings(
        issuer=ISSUER, client_id="orders", state="s", port=1, jwks_port=port, jwks_host=host
    )
    opened = listen_for_keys(wanted)
    assert opened is not None
    with opened:
        assert opened.getsockname()[:2] == (url, port)
        with pytest.raises(AgentSettingsError, match=f"jwks_port {port} of {url}: Address already in use"):
            listen_for_keys(wanted)
    assert listen_for_keys(settings(Path("socket"))) is None
