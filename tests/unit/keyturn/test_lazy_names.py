"""``import keyturn`` is cheap, and provides every promised name."""

import json
import subprocess
import sys

import pytest

import keyturn


def test_importing_keyturn_imports_no_other_package() -> None:
    code = "import sys, json, keyturn; print(json.dumps(sorted(sys.modules)))"
    ended = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    packages = {name.partition(".")[0] for name in json.loads(ended.stdout)}
    assert "keyturn" in packages
    assert not packages & {"keyturn_verifier", "keyturn_shared", "httpx", "starlette", "msgspec", "redis"}


@pytest.mark.parametrize("name", keyturn.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(keyturn, name).__name__ == name


def test_any_other_name_is_not() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        keyturn.nothing  # noqa: B018 - asking is what is tested
