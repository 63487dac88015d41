"""Starts that are refused: each problem is one sentence, and nothing was changed."""

import os
from pathlib import Path

import pytest

from keyturn_shared.key_wrapping import WrappedKey
from keyturn_shared.sealing import KeyRing
from tests.integration.key_wrapping.conftest import Done, Operator, refusal_of
from tests.testkit.softhsm import SoftHsm
from tests.testkit.software_device import SoftwareDevice

KEK, KEK_ID = bytes(range(32)), b"\x01"
NOT_UNWRAPPED = "no wrapped key can be unwrapped: "


def make_hang(hsm: SoftHsm) -> None:
    """Let calls of the module not return: it reads a pipe that nobody writes to."""
    (stored,) = hsm.directory.glob("tokens/*/token.object")
    stored.unlink()
    os.mkfifo(stored)


class Start:
    """A service that is to start. ``wrapped``: the ring that it needs, with one key under a KEK that a token
    and a device in memory have both."""

    def __init__(self, operator: Operator, service: str) -> None:
        self.operator, self.service = operator, service
        self.ring = "encryption" if service == "credentials" else "fleet"
        self.variable = f"KEYTURN_{self.ring.upper()}_KEYS"
        operator.hsm.add_secret_key("keys", "kek", KEK_ID, KEK)
        device = SoftwareDevice({KEK_ID: KEK})
        self.wrapped = str(WrappedKey.generated_by(device, KEK_ID, self.ring))
        self.database = operator.directory / "keyturn.db"

    def refused(self, text: str | None = None, **changes: str) -> str:
        """Return the line with which the start is refused."""
        return self.only_line(self.operator.run(self.service, **self.variables(text, **changes)))

    def only_line(self, done: Done) -> str:
        """Return the line of a start that was refused."""
        (line,) = refusal_of(done)
        assert not self.database.exists(), "nothing was changed"
        return line

    def variables(self, text: str | None = None, **changes: str) -> dict[str, str]:
        return {
            "KEYTURN_DATABASE_URL": f"sqlite+aiosqlite:///{self.database}",
            "KEYTURN_REDIS_URL": "redis://127.0.0.1:1/0",
            "KEYTURN_FLEET_KEYS": KeyRing.generate_key(),
            self.variable: self.wrapped if text is None else text,
            **changes,
        }


@pytest.fixture(params=["credentials", "verifier"])
def start(request: pytest.FixtureRequest, operator: Operator) -> Start:
    return Start(operator, request.param)


def test_a_token_that_is_not_there(start: Start) -> None:
    module = start.operator.hsm.module
    told = f"{NOT_UNWRAPPED}{module} has no token 'others'"
    assert start.refused(KEYTURN_PKCS11_TOKEN="others") == told


def test_a_module_that_is_none(start: Start, tmp_path: Path) -> None:
    text = tmp_path / "module.so"
    text.write_text("no library")
    line = start.refused(KEYTURN_PKCS11_MODULE=str(text))
    assert line == f"{NOT_UNWRAPPED}the PKCS#11 module {text} cannot be loaded: file too short"
    line = start.refused(KEYTURN_PKCS11_MODULE="/none.so")
    assert line == "KEYTURN_PKCS11_MODULE: /none.so: there is no such file"


def test_a_pin_that_is_wrong_or_cannot_be_read(start: Start, tmp_path: Path) -> None:
    for text, told in (
        ("wrong", "the token 'keys' refuses the PIN; the same one is not tried again, since tokens lock"),
        ("", f"the PIN file {tmp_path / 'pin'} is empty"),
    ):
        start.operator.pin_file.write_text(text)
        assert start.refused() == NOT_UNWRAPPED + told
    assert start.refused(KEYTURN_PKCS11_PIN_FILE="/none") == (
        "KEYTURN_PKCS11_PIN_FILE: /none: there is no such file"
    )


def test_a_pin_is_in_a_file_only(start: Start) -> None:
    assert start.refused(KEYTURN_PKCS11_PIN="1234") == (
        "KEYTURN_PKCS11_PIN: no program of keyturn reads this variable; did you mean KEYTURN_PKCS11_PIN_FILE?"
    )


def test_a_key_that_is_wrapped_under_another_kek_altered_or_of_another_ring(start: Start) -> None:
    name, kek_id, key_id, wrapped = start.wrapped.split(".")
    missing = (
        "the token 'keys' has no key encryption key with the id ff: it was wrapped under a key of another"
    )
    assert start.refused(f"{name}.ff.{key_id}.{wrapped}") == (
        f"{start.variable}: {missing} token, or one that is gone"
    )
    start.operator.hsm.add_secret_key("keys", "other", b"\x0f", bytes(32))
    other = "or wrapped under another key that has the id"
    assert start.refused(f"{name}.0f.{key_id}.{wrapped}") == (
        f"{start.variable}: it does not unwrap (GeneralError): it was altered, {other} 0f too"
    )
    altered = ("B" if wrapped[0] == "A" else "A") + wrapped[1:]
    assert start.refused(f"{name}.{kek_id}.{key_id}.{altered}") == (
        f"{start.variable}: it does not unwrap (GeneralError): it was altered, {other} {kek_id} too"
    )
    assert start.refused(start.wrapped[:-1]) == (
        f"{start.variable}: not what `keyturn key-wrapping` prints: it was cut off or altered"
    )
    unlike = "its id was altered, or it is the key of another ring"
    assert start.refused(f"{name}.{kek_id}.00000000.{wrapped}") == (
        f"{start.variable}: it unwraps, but not to the {start.ring} key 00000000: {unlike}"
    )


def test_a_device_that_does_not_answer(start: Start) -> None:
    make_hang(start.operator.hsm)
    done = start.operator.run_process(start.service, **start.variables(KEYTURN_PKCS11_SECONDS="1"))
    line = start.only_line(done)
    assert line == f"{NOT_UNWRAPPED}the device has not answered within 1 s (KEYTURN_PKCS11_SECONDS)"


def test_a_check_gives_the_pin_to_the_device_only_if_it_is_told_to(start: Start) -> None:
    start.operator.pin_file.write_text("wrong")
    check = ("config", "check", start.service)
    valid = f"The settings of {start.service} are valid"
    assert start.operator.printed(*check, **start.variables()) == valid
    (line,) = start.operator.refused(*check, "--unwrap", **start.variables())
    assert line.startswith(f"{NOT_UNWRAPPED}the token 'keys' refuses the PIN")


@pytest.mark.usefixtures("logs_as_before")
def test_the_doctor_finds_what_would_keep_the_service_from_starting(operator: Operator) -> None:
    start = Start(operator, "credentials")
    plain = KeyRing.generate_key()
    only = ("doctor", "--only", "settings")
    mixed = operator.run(*only, **start.variables(f"{start.wrapped},{plain}"))
    assert mixed.code == 0
    assert "WARNING settings_keys_partly_wrapped" in mixed.out
    assert "found: KEYTURN_ENCRYPTION_KEYS has wrapped and plain keys" in mixed.out
    operator.pin_file.write_text("wrong")
    found = operator.run(*only, **start.variables())
    assert found.code == 1
    assert "PROBLEM settings_keys_not_unwrapped" in found.out
    assert f"found: {NOT_UNWRAPPED}the token 'keys' refuses the PIN" in found.out
    assert plain not in mixed.out + mixed.err
    assert not start.database.exists()
