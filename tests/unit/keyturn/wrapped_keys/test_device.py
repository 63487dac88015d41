"""A device has a time limit, whatever its module does."""

import threading
from pathlib import Path

import pytest

from keyturn.wrapped_keys.device import check_device, within
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.key_wrapping import KeyWrappingError
from keyturn_shared.key_wrapping_settings import KeyWrappingSettings


def test_what_is_done_in_time_is_returned() -> None:
    assert within(60.0, lambda: "done") == "done"


def test_an_error_is_that_of_the_work() -> None:
    def fail() -> None:
        raise KeyWrappingError("the token is gone")

    with pytest.raises(KeyWrappingError, match="the token is gone"):
        within(60.0, fail)


def test_a_device_that_does_not_answer_is_left_behind() -> None:
    answers = threading.Event()
    told = r"^the device has not answered within 0.01 s \(KEYTURN_PKCS11_SECONDS\)$"
    with pytest.raises(KeyWrappingError, match=told):
        within(0.01, answers.wait)
    (left,) = (each for each in threading.enumerate() if each.name == "key wrapping")
    assert left.daemon, "the process can end"
    answers.set()
    left.join()


def test_a_file_that_cannot_be_looked_at_is_told_like_one_that_is_not_there() -> None:
    long = Path("/") / ("a" * 300)
    settings = KeyWrappingSettings(pkcs11_module=long, pkcs11_token="keys", pkcs11_pin_file=Path("/none"))
    with pytest.raises(ConfigurationError) as refused:
        check_device(settings)
    assert refused.value.detail.split("\n") == [
        f"KEYTURN_PKCS11_MODULE: {long}: File name too long",
        "KEYTURN_PKCS11_PIN_FILE: /none: there is no such file",
    ]
