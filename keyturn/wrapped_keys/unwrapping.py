"""Settings with unwrapped keys. They are in the memory of this process only: not in its environment, which
other processes of the same user can read, and which its children inherit."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings

from keyturn.wrapped_keys.device import check_device, lines_of, use_device
from keyturn.wrapped_keys.rings import GivenRing, given_rings
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.jose import base64url
from keyturn_shared.key_wrapping import KeyWrapping, KeyWrappingError, is_wrapped, joined
from keyturn_shared.key_wrapping_settings import KeyWrappingSettings
from keyturn_shared.sealing import KeyRing
from keyturn_shared.setting_problems import check_all, raise_all

Settings = TypeVar("Settings", bound=BaseSettings)
Values = dict[str, SecretStr]


def settings_with_keys(kind: type[Settings], *, instead: Sequence[str] = ()) -> Settings:
    """Read settings from the environment, with unwrapped keys. ``instead``: settings that are used in place
    of the rings; with any of them, keys stay wrapped, and no device is needed. Raises ConfigurationError, and
    pydantic's ValidationError."""
    if any(os.environ.get(f"KEYTURN_{name.upper()}") for name in instead):
        return kind()
    values: dict[str, Any] = dict(unwrapped_values(kind))
    return kind(**values)


def unwrapped_values(kind: type[BaseSettings], values: Mapping[str, Any] | None = None) -> Values:
    """Unwrap the keys of all rings that settings of this kind have. Return the texts of the rings with
    wrapped keys, by the name of the setting; nothing, without using a device, if there are none.

    ``values``: by name, in place of the environment's. Raises ConfigurationError with a line for each
    problem.
    """
    rings = _with_wrapped(kind, values)
    if not rings:
        return {}
    _check_forms(rings)
    device = device_settings(values)
    try:
        return use_device(device, lambda opened: _unwrapped(rings, opened))
    except KeyWrappingError as error:
        raise ConfigurationError(f"no wrapped key can be unwrapped: {error.detail}") from None


def checked_stand_ins(kind: type[BaseSettings], values: Mapping[str, Any] | None = None) -> Values:
    """Check what can be without the device, and return ``stand_ins``. Raises ConfigurationError."""
    rings = _with_wrapped(kind, values)
    if rings:
        check_all(lambda: _check_forms(rings), lambda: check_device(device_settings(values)))
    return stand_ins(kind, values)


def stand_ins(kind: type[BaseSettings], values: Mapping[str, Any] | None = None) -> Values:
    """Return what ``unwrapped_values`` does, with a new key in place of each wrapped one: for checking the
    other settings, and nothing else."""
    return {
        given.ring.setting: SecretStr(
            joined(KeyRing.generate_key() if is_wrapped(each) else each for each in given.elements)
        )
        for given in _with_wrapped(kind, values)
    }


def _with_wrapped(kind: type[BaseSettings], values: Mapping[str, Any] | None) -> list[GivenRing]:
    return [given for given in given_rings(kind, values) if given.has_wrapped]


def _check_forms(rings: Sequence[GivenRing]) -> None:
    check_all(*(given.wrapped_keys for given in rings))


def device_settings(values: Mapping[str, Any] | None = None) -> KeyWrappingSettings:
    """Read the settings of the device. Raises ConfigurationError with a line for each invalid one."""
    named = {
        name: value for name, value in (values or {}).items() if name in KeyWrappingSettings.model_fields
    }
    try:
        return KeyWrappingSettings(**named)
    except ValidationError as error:
        raise ConfigurationError("\n".join(_lines(error))) from None


def _lines(error: ValidationError) -> list[str]:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return [f"KEYTURN_{str(each['loc'][0]).upper()}: {each['msg']}" for each in problems]


def _unwrapped(rings: Sequence[GivenRing], device: KeyWrapping) -> Values:
    found, problems = {}, []
    for given in rings:
        try:
            found[given.ring.setting] = SecretStr(joined(_plain(given, device)))
        except ConfigurationError as error:
            problems += lines_of(error)
    raise_all(problems)
    return found


def _plain(given: GivenRing, device: KeyWrapping) -> list[str]:
    """Return the keys of a ring, all plain. Raises ConfigurationError with a line for each problem."""
    elements = list(given.elements)

    def unwrap(number: int) -> Callable[[], None]:
        def work() -> None:
            try:
                key = keys[number].unwrapped_by(device, given.ring.value)
            except ConfigurationError as error:
                raise ConfigurationError(f"{given.place(number)}: {error.detail}") from None
            elements[number - 1] = base64url.encode_text(key)

        return work

    keys = dict(given.wrapped_keys())
    check_all(*map(unwrap, keys))
    return elements
