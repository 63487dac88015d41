"""Sessions of a token: what is tried again, and what never is."""

from pathlib import Path
from typing import Any

import pkcs11
import pytest
from pkcs11.constants import TokenFlag
from pkcs11.exceptions import (
    DeviceError,
    NoSuchKey,
    PinExpired,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
    SessionHandleInvalid,
    TokenNotPresent,
    UserAlreadyLoggedIn,
    UserPinNotInitialized,
)

from keyturn import SignerError
from keyturn.pkcs11.open_token import KeyName, OpenToken
from keyturn.pkcs11.token import Pkcs11Token

KEY = KeyName("orders")


class FakeSession:
    def __init__(self, module: "FakeModule") -> None:
        self._module = module

    def close(self) -> None:
        self._module.calls.append("close")


class FakeModule:
    """A module with one token. ``fails``: errors of the next calls, by call. ``calls``: that were made."""

    def __init__(self) -> None:
        self.label, self.serial = "orders", b"0f"
        self.flags = TokenFlag(0)
        self.calls: list[str] = []
        self.fails: dict[str, list[PKCS11Error | None]] = {}

    def _called(self, call: str) -> None:
        self.calls.append(call)
        self._called_silently(call)

    def _called_silently(self, call: str) -> None:
        errors = self.fails.get(call)
        error = errors.pop(0) if errors else None
        if error is not None:
            raise error

    def get_slots(self, *, token_present: bool) -> list["FakeModule"]:
        assert token_present
        self._called("find")
        return [self]

    def get_token(self) -> "FakeModule":
        self._called_silently("token")
        return self

    def open(self, user_pin: str | None = None) -> FakeSession:
        self._called("open" if user_pin is None else f"login {user_pin}")
        return FakeSession(self)

    def finalize(self) -> None:
        self._called("finalize")

    def initialize(self) -> None:
        self._called("initialize")

    def work(self, _: OpenToken) -> str:
        self._called("work")
        return "done"


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> FakeModule:
    made = FakeModule()
    monkeypatch.setattr(pkcs11, "lib", lambda _: made)
    return made


def token(pin: Any = lambda: "1234", **options: bool) -> Pkcs11Token:
    return Pkcs11Token(Path("module.so"), label="orders", serial=None, pin=pin, **options)


def refusal(of: Pkcs11Token, module: FakeModule) -> str:
    with pytest.raises(SignerError) as refused:
        of.run(module.work, key=KEY)
    return refused.value.detail


def test_a_session_is_opened_once_when_it_is_first_needed(module: FakeModule) -> None:
    opened = token()
    assert module.calls == []
    assert [opened.run(module.work, key=KEY) for _ in range(3)] == ["done"] * 3
    assert module.calls == ["find", "login 1234", "work", "work", "work"]


def test_a_lost_session_is_opened_again(module: FakeModule) -> None:
    opened = token()
    module.fails["work"] = [None, SessionHandleInvalid()]
    assert [opened.run(module.work, key=KEY) for _ in range(2)] == ["done"] * 2
    assert module.calls == ["find", "login 1234", "work", "work", "close", "find", "login 1234", "work"]


def test_a_module_that_does_not_find_its_token_again_is_initialized_anew(module: FakeModule) -> None:
    opened = token()
    opened.run(module.work, key=KEY)
    module.calls.clear()
    module.fails = {"work": [DeviceError()], "token": [TokenNotPresent()], "finalize": [DeviceError()]}
    assert opened.run(module.work, key=KEY) == "done"
    assert module.calls == [
        *("work", "close", "find"),
        *("finalize", "initialize", "find", "login 1234", "work"),
    ]


def test_a_token_that_stays_away_is_told_and_sought_again_by_the_next_call(module: FakeModule) -> None:
    opened = token()
    opened.run(module.work, key=KEY)
    module.fails = {"work": [DeviceError()], "token": [DeviceError(), TokenNotPresent()]}
    assert refusal(opened, module) == "module.so has no token 'orders'"
    assert opened.run(module.work, key=KEY) == "done"


def test_at_the_start_the_module_is_not_initialized_anew(module: FakeModule) -> None:
    module.fails["token"] = [TokenNotPresent()]
    assert refusal(token(), module) == "module.so has no token 'orders'"
    assert module.calls == ["find"]
    module.fails["work"] = [DeviceError()]
    assert refusal(token(), module) == "the token 'orders' fails with DeviceError"
    module.fails["work"] = [PKCS11Error("Unmapped error code 0x80000385")]
    assert refusal(token(), module) == "the token 'orders' fails with error 0x80000385"
    module.fails["work"] = [PKCS11Error("Failed to cancel operation")]
    assert refusal(token(), module) == "the token 'orders' fails with PKCS11Error"


REFUSED = "the token 'orders' refuses the PIN; the same one is not tried again, since tokens lock"


@pytest.mark.parametrize("error", [PinIncorrect(), PinInvalid(), PinLenRange()])
def test_a_wrong_pin_is_given_to_the_token_once(
    module: FakeModule, error: PKCS11Error, tmp_path: Path
) -> None:
    pin = tmp_path / "pin"
    pin.write_text("wrong\n")
    opened = token(pin)
    module.fails["login wrong"] = [error]
    for _ in range(4):
        assert refusal(opened, module) == REFUSED
    assert module.calls.count("login wrong") == 1
    pin.write_text("1234\n")
    assert opened.run(module.work, key=KEY) == "done"


def test_a_wrong_pin_for_a_single_signature_is_given_once_too(module: FakeModule) -> None:
    def work(opened: OpenToken) -> str:
        return module.work(opened) if (opened.read_pin() or "") else "without"

    opened = token()
    assert opened.run(work, key=KEY) == "done"
    module.fails["work"] = [PinIncorrect()]
    for _ in range(3):
        with pytest.raises(SignerError, match="refuses the PIN"):
            opened.run(work, key=KEY)
    assert module.calls == ["find", "login 1234", "work", "work"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PinLocked(), "has locked its PIN"),
        (PinExpired(), "wants a new PIN first"),
        (UserPinNotInitialized(), "wants a new PIN first"),
    ],
)
def test_a_pin_that_somebody_has_to_unlock_is_given_again(
    module: FakeModule, error: PKCS11Error, told: str
) -> None:
    opened = token()
    module.fails["login 1234"] = [error]
    assert refusal(opened, module) == f"the token 'orders' {told}"
    assert opened.run(module.work, key=KEY) == "done"


def test_a_login_of_another_session_of_the_process_counts(module: FakeModule) -> None:
    module.fails["login 1234"] = [UserAlreadyLoggedIn()]
    assert token().run(module.work, key=KEY) == "done"
    assert module.calls == ["find", "login 1234", "open", "work"]


def test_a_key_that_is_missing_is_sought_once_more_in_another_session_only(module: FakeModule) -> None:
    opened = token()
    module.fails["work"] = [NoSuchKey()]
    assert refusal(opened, module) == "the token 'orders' has no private key 'orders'"
    module.fails["work"] = [NoSuchKey(), NoSuchKey()]
    assert refusal(opened, module) == "the token 'orders' has no private key 'orders'"
    assert "initialize" not in module.calls


def test_a_pin_is_not_in_the_representation_of_anything(module: FakeModule) -> None:
    opened = token()
    module.fails["login 1234"] = [PinIncorrect()]
    assert "1234" not in refusal(opened, module) + repr(opened) + str(opened)


def test_a_closed_session_is_opened_by_the_next_call(module: FakeModule) -> None:
    opened = token()
    opened.close()
    assert module.calls == []
    opened.run(module.work, key=KEY)
    opened.close()
    opened.run(module.work, key=KEY)
    assert module.calls == ["find", "login 1234", "work", "close", "find", "login 1234", "work"]


def test_the_last_try_of_a_pin_is_left_to_a_person(module: FakeModule) -> None:
    module.flags = TokenFlag.USER_PIN_FINAL_TRY | TokenFlag.USER_PIN_COUNT_LOW
    told = "the token 'orders' would be locked by another wrong PIN, so none is given: sign in by hand once"
    assert refusal(token(leaves_last_try=True), module) == told
    assert module.calls == ["find"]
    assert token().run(module.work, key=KEY) == "done", "a signer is not so careful"
    module.flags = TokenFlag.USER_PIN_COUNT_LOW
    assert token(leaves_last_try=True).run(module.work, key=KEY) == "done"
