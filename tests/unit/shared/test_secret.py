"""A secret is never printed."""

import copy
import dataclasses
import io
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import structlog

from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.jose.symmetric import SymmetricKey
from keyturn_shared.logs import withhold_secrets
from keyturn_shared.sealing import KeyRing
from keyturn_shared.secret import Secret

HIDDEN = "hunter2-hunter2-hunter2-hunter2-hunter2"
_signing_key = SigningKey.generate("ES256")
HOLDERS: dict[str, tuple[Any, str]] = {
    "Secret": (Secret(HIDDEN), HIDDEN),
    "SymmetricKey": (SymmetricKey(Secret(HIDDEN)), HIDDEN),
    "SigningKey": (_signing_key, json.loads(_signing_key.export_private_jwk())["d"]),
    "KeyRing": (KeyRing([HIDDEN[:32].encode()], purpose="test"), HIDDEN[:32]),
}


@dataclasses.dataclass
class Holder:
    held: object


def in_a_traceback(held: object) -> str:
    """Format with the values of variables, like error reporters."""
    try:
        raise RuntimeError(f"about {held}", held)
    except RuntimeError as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        return "".join(shown.format()) + repr(error)


def in_a_log(held: object) -> str:
    renderer = structlog.processors.JSONRenderer()
    return str(renderer(None, "info", {"event": held, "value": [held], "error": repr(ValueError(held))}))


def in_the_standard_log(held: object) -> str:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.handle(logging.LogRecord("x", logging.INFO, "x", 1, "%s %r", (held, held), None))
    return written.getvalue()


WAYS: list[Callable[[Any], str]] = [
    str,
    repr,
    lambda held: f"{held} {held!r} {held!s} {held:}",
    lambda held: "%s %r" % (held, [held]),  # noqa: UP031 - this way as well
    lambda held: repr({"x": (held, {held} if held.__hash__ else None)}),
    lambda held: repr(Holder(held)),
    in_a_traceback,
    in_a_log,
    in_the_standard_log,
]


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("way", WAYS)
def test_nothing_that_holds_a_secret_prints_it(holder: str, way: Callable[[Any], str]) -> None:
    held, hidden = HOLDERS[holder]
    printed = way(held)
    assert printed
    for text in (hidden, hidden[:12], hidden.encode().hex()):
        assert text not in printed


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("serialise", [pickle.dumps, json.dumps, msgspec.json.encode, copy.deepcopy])
def test_nothing_that_holds_a_secret_is_serialised_by_accident(
    holder: str, serialise: Callable[[Any], object]
) -> None:
    with pytest.raises(TypeError):
        serialise(HOLDERS[holder][0])


def test_no_way_of_printing_shows_it() -> None:
    secret = Secret("hunter2-hunter2")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r}", repr([secret])]
    assert not any("hunter2" in text for text in shown)


@pytest.mark.parametrize("serialise", [pickle.dumps, copy.deepcopy])
def test_it_is_not_serialised_by_accident(serialise: Callable[[object], object]) -> None:
    with pytest.raises(TypeError):
        serialise(Secret("x"))


def test_it_matches_itself_only() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("é").matches("é")


def test_logs_mask_values_under_names_that_hold_secrets() -> None:
    event = withhold_secrets(None, "info", {"event": "x", "client_secret": "s", "kid": "k"})
    assert event == {"event": "x", "client_secret": Secret.MASK, "kid": "k"}
