"""An obstacle to a start is reported in one line; nothing is changed."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from keyturn_shared.sealing import KeyRing
from tests.testkit.local_stack import RunningStack
from tests.testkit.ports import find_free_port


def refused(*arguments: str, **variables: str) -> str:
    """Run ``keyturn``, and return its one-line refusal."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KEYTURN_")}
    command = [sys.executable, "-m", "keyturn", *arguments]
    ended = subprocess.run(
        command, env=environment | variables, check=False, capture_output=True, text=True, timeout=30
    )
    assert ended.returncode == 2, ended
    lines = ended.stderr.splitlines()
    assert len(lines) == 1, ended.stderr
    return lines[0]


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_a_taken_port(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = refused("up", "--port", port, "--data-dir", str(data))
    assert f"port {port} of 127.0.0.1 cannot be used: another program is listening on it" in line


def test_a_data_directory_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    line = refused("up", "--data-dir", str(tmp_path / "file"))
    assert "cannot be written to: " in line
    assert (tmp_path / "file").read_text() == "kept"


def test_a_redis_that_is_not_there(data: Path) -> None:
    url = f"redis://user:s3cret@127.0.0.1:{find_free_port()}/0"
    line = refused("up", "--port", str(find_free_port()), "--data-dir", str(data), "--redis-url", url)
    assert "Redis at 127.0.0.1:" in line
    assert "s3cret" not in line


def test_a_broken_local_json(data: Path) -> None:
    data.mkdir()
    (data / "local.json").write_text('{"base_url": ')
    line = refused("up", "--port", str(find_free_port()), "--data-dir", str(data))
    assert "local.json was not written by keyturn up" in line
    assert (data / "local.json").read_text() == '{"base_url": '


def test_a_second_stack_on_the_same_data_directory(stack: RunningStack) -> None:
    local = (stack.data / "local.json").read_bytes()
    line = refused("up", "--port", str(find_free_port()), "--data-dir", str(stack.data))
    assert line == f"keyturn: another keyturn up (process {stack.pid}) is using {stack.data}"
    assert (stack.data / "local.json").read_bytes() == local


@pytest.mark.parametrize("service", ["credentials", "verifier", "fetcher"])
def test_a_service_with_settings_it_cannot_use(service: str) -> None:
    key = KeyRing.generate_key()
    line = refused(service, KEYTURN_FLEET_KEYS="short", KEYTURN_ENCRYPTION_KEYS=key)
    assert line.startswith("keyturn: KEYTURN_FLEET_KEYS: ")


@pytest.mark.parametrize("service", ["credentials", "verifier", "fetcher"])
def test_a_service_with_a_mistyped_setting(service: str) -> None:
    keys = {"KEYTURN_FLEET_KEYS": KeyRing.generate_key(), "KEYTURN_ENCRYPTION_KEYS": KeyRing.generate_key()}
    line = refused(service, **keys, KEYTURN_REDIS_ULR="redis://127.0.0.1:1")
    assert line.startswith("keyturn: KEYTURN_REDIS_ULR: no program of keyturn reads this variable")
    assert line.endswith("did you mean KEYTURN_REDIS_URL?")


def test_a_node_of_several_workers_with_a_mistyped_setting() -> None:
    assert "KEYTURN_PROT" in refused("verifier", "--workers", "2", KEYTURN_PROT="1")


def test_a_stack_with_settings_its_services_cannot_use(data: Path) -> None:
    arguments = ("up", "--port", str(find_free_port()), "--data-dir", str(data))
    line = refused(*arguments, KEYTURN_LEASE_SECONDS="soon")
    assert line.startswith("keyturn: credentials: KEYTURN_LEASE_SECONDS: ")
