"""A device has a time limit, whatever its module does."""

import threading

import pytest

from keyturn.wrapped_keys.device import within
from keyturn_shared.key_wrapping import KeyWrappingError


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
