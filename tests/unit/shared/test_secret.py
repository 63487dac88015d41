"""A secret does not print, whatever prints it."""

import copy
import pickle

import pytest

from keyturn_shared.logs import withhold_secrets
from keyturn_shared.secret import Secret


def test_no_way_of_printing_shows_it() -> None:
    secret = Secret("hunter2-hunter2")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r}", repr([secret])]
    assert not any("hunter2" in text for text in shown)


@pytest.mark.parametrize("serialise", [pickle.dumps, copy.deepcopy])
def test_it_is_not_serialised_by_accident(serialise: object) -> None:
    with pytest.raises(TypeError):
        serialise(Secret("x"))  # type: ignore[operator]


def test_it_matches_itself_only() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("é").matches("é")


def test_logs_mask_values_under_names_that_hold_secrets() -> None:
    event = withhold_secrets(None, "info", {"event": "x", "client_secret": "s", "kid": "k"})
    assert event == {"event": "x", "client_secret": Secret.MASK, "kid": "k"}
