"""New keys, rings wrapped anew, and what is in a ring."""

import sys
from typing import Final

from keyturn.wrapped_keys.device import use_device
from keyturn.wrapped_keys.ring_names import Ring
from keyturn.wrapped_keys.rings import GivenRing, given_rings
from keyturn.wrapped_keys.unwrapping import device_settings
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.key_wrapping import KeyWrapping, WrappedKey, is_wrapped, joined, key_id_of
from keyturn_shared.named_setting import named_setting
from keyturn_shared.sealing import keys_from_text

_MAX_LABEL: Final = 64
"""Characters of a KEK's label: tokens differ in how many more they take."""


def print_new_kek(label: str) -> None:
    """Generate a KEK, and print its id. Raises ConfigurationError."""
    if not label.strip() or not label.isprintable() or len(label) > _MAX_LABEL:
        raise ConfigurationError(f"a label has 1 to {_MAX_LABEL} printable characters")
    sys.stdout.write(use_device(device_settings(), lambda device: device.generate_kek(label)).hex() + "\n")


def print_new_key(ring: Ring, kek: str) -> None:
    """Generate a key of a ring, and print it wrapped. Raises ConfigurationError."""

    def make(device: KeyWrapping) -> WrappedKey:
        return WrappedKey.generated_by(device, device.find_kek(kek), ring.value)

    sys.stdout.write(f"{use_device(device_settings(), make)}\n")


def print_wrapped_ring(ring: Ring, kek: str) -> None:
    """Print a ring with every key wrapped under one KEK. Raises ConfigurationError."""
    given = _given(ring)
    wrapped = use_device(device_settings(), lambda device: _wrapped(given, device, device.find_kek(kek)))
    sys.stdout.write(f"{joined(wrapped)}\n")


def print_ring(ring: Ring) -> None:
    """Print a line for each key of a ring: its id, and the id of its KEK. Raises ConfigurationError."""
    given = _given(ring)
    of_wrapped = dict(given.wrapped_keys())
    lines = []
    for number, element in enumerate(given.elements, 1):
        if is_wrapped(element):
            key = of_wrapped[number]
            lines.append(f"{key.key_id} wrapped under {key.kek_id.hex()}\n")
        else:
            with named_setting(given.place(number)):
                lines.append(f"{key_id_of(_plain(given, number), ring.value)} plain\n")
    sys.stdout.writelines(lines)


def _given(ring: Ring) -> GivenRing:
    for given in given_rings():
        if given.ring is ring:
            return given
    raise ConfigurationError(f"{ring.variable}: required, but not set")


def _wrapped(given: GivenRing, device: KeyWrapping, kek_id: bytes) -> list[str]:
    """Return the keys of a ring, all wrapped under this KEK. Raises ConfigurationError at the first problem:
    a part of a ring is of no use."""
    purpose = given.ring.value
    of_wrapped = dict(given.wrapped_keys())
    made = []
    for number in range(1, len(given.elements) + 1):
        former = of_wrapped.get(number)
        with named_setting(given.place(number)):
            key = _plain(given, number) if former is None else former.unwrapped_by(device, purpose)
            keeps = former is not None and former.kek_id == kek_id
            made.append(former if keeps else WrappedKey.wrapped_by(device, kek_id, key, purpose))
    return list(map(str, made))


def _plain(given: GivenRing, number: int) -> bytes:
    """Return a plain key of a ring. Raises ConfigurationError."""
    (key,) = keys_from_text(given.elements[number - 1], given.ring.value)
    key_id_of(key, given.ring.value)  # checks its length
    return key
