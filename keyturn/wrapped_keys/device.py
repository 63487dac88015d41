"""The device that settings name, and a time limit for it."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from keyturn_shared.errors import KeyturnError
from keyturn_shared.key_wrapping import KeyWrapping, KeyWrappingError
from keyturn_shared.key_wrapping_settings import KeyWrappingSettings
from keyturn_shared.setting_problems import raise_all

T = TypeVar("T")


def check_device(settings: KeyWrappingSettings) -> None:
    """Check that the settings name a device, and that its files are there. The device is not used. Raises
    ConfigurationError with a line for each problem."""
    problems = []
    if settings.pkcs11_module is None:
        problems.append("KEYTURN_PKCS11_MODULE: required to unwrap keys, but not set")
    if not settings.pkcs11_token and not settings.pkcs11_serial:
        problems.append("KEYTURN_PKCS11_TOKEN: required to unwrap keys, but not set")
    for name in ("pkcs11_module", "pkcs11_pin_file"):
        path = getattr(settings, name)
        if path is not None and (problem := _problem_of(path)) is not None:
            problems.append(f"KEYTURN_{name.upper()}: {path}: {problem}")
    raise_all(problems)


def _problem_of(path: Path) -> str | None:
    try:
        return None if path.is_file() else "there is no such file"
    except OSError as error:  # such as a directory that this user may not search
        return error.strerror


def use_device(settings: KeyWrappingSettings, work: Callable[[KeyWrapping], T]) -> T:
    """Return what ``work`` returns, and end the session with the device. Raises ConfigurationError, and
    KeyWrappingError if the device does not answer in time."""
    check_device(settings)
    module = settings.pkcs11_module
    assert module is not None, "it was checked"  # noqa: S101 - a mistake in code
    from keyturn.pkcs11 import Pkcs11KeyWrapping  # needs an extra of its own

    device = Pkcs11KeyWrapping(
        module,
        token=settings.pkcs11_token,
        serial=settings.pkcs11_serial,
        pin=settings.pkcs11_pin_file,
    )

    def use() -> T:
        try:
            device.open()
            return work(device)
        finally:
            device.close()

    return within(settings.pkcs11_seconds, use)


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return what ``work`` returns, from a thread of its own: a call of a module cannot be interrupted. If
    the time is over, the thread is left behind, and does not keep the process from ending. Raises what
    ``work`` raises, and KeyWrappingError once the time is over."""
    outcome: dict[str, Any] = {}

    def run() -> None:
        try:
            outcome["done"] = work()
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            outcome["error"] = error

    thread = threading.Thread(target=run, name="key wrapping", daemon=True)
    thread.start()
    thread.join(seconds)
    if "error" in outcome:
        raise outcome["error"]
    if "done" not in outcome:
        raise KeyWrappingError(f"the device has not answered within {seconds:g} s (KEYTURN_PKCS11_SECONDS)")
    done: T = outcome["done"]
    return done


def lines_of(error: KeyturnError) -> list[str]:
    """Return the problems of an error, one a line."""
    return error.detail.split("\n")
