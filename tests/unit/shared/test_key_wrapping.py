"""The written form of a wrapped key: what is read, and what is not."""

import pytest

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.key_wrapping import KeyWrappingError, WrappedKey, elements_of, is_wrapped, key_id_of
from keyturn_shared.realm_rings import FleetRing
from keyturn_shared.sealing import KeyRing
from tests.testkit.software_device import SoftwareDevice

KEY = b"k" * 32


@pytest.fixture
def written() -> str:
    device = SoftwareDevice()
    return str(WrappedKey.wrapped_by(device, device.generate_kek("kek"), KEY, "encryption"))


def test_the_form_names_algorithm_kek_and_key(written: str) -> None:
    name, kek_id, key_id, wrapped = written.split(".")
    assert (name, key_id) == ("A256KW", key_id_of(KEY, "encryption"))
    assert (len(kek_id), len(wrapped)) == (32, 54)
    assert str(WrappedKey.parse(written)) == written


def test_what_was_cut_off_or_altered_is_not_read(written: str) -> None:
    name, kek_id, key_id, wrapped = written.split(".")
    for wrong in (
        f"{name}.",
        f"{name}.{kek_id}.{key_id}",
        written[:-1],
        f"{written}A",
        f"{written}=",
        f"{written}\n",
        f"A128KW.{kek_id}.{key_id}.{wrapped}",
        f"{name}.{kek_id[1:]}.{key_id}.{wrapped}",
        f"{name}..{key_id}.{wrapped}",
        f"{name}.{'00' * 65}.{key_id}.{wrapped}",
        f"{name}.{kek_id}.{key_id.upper()}Z.{wrapped}",
        f"{name}.{kek_id}.{key_id}.{wrapped[:-1]}*",
    ):
        with pytest.raises(KeyWrappingError, match="cut off or altered"):
            WrappedKey.parse(wrong)


def test_an_id_depends_on_the_ring() -> None:
    assert key_id_of(KEY, "encryption") != key_id_of(KEY, "fleet")
    assert key_id_of(KEY, "fleet") == FleetRing([KEY]).current_key_id


def test_a_ring_has_plain_and_wrapped_keys(written: str) -> None:
    plain = KeyRing.generate_key()
    assert [is_wrapped(each) for each in elements_of(f" {plain} ,{written}")] == [False, True]


def test_a_ring_does_not_take_a_wrapped_key_for_a_key(written: str) -> None:
    for read in (FleetRing.read, lambda text: KeyRing.from_text(text, purpose="fleet")):
        with pytest.raises(
            ConfigurationError, match=r"^a fleet key is wrapped, and nothing unwraps it here$"
        ):
            read(f"{KeyRing.generate_key()},{written}")


def test_a_device_that_returns_another_key_than_it_was_given_is_noticed() -> None:
    device = SoftwareDevice()
    kek_id = device.generate_kek("kek")

    class Wrong(SoftwareDevice):
        def unwrap(self, kek_id: bytes, wrapped: bytes) -> bytes:
            return b"x" * 32

    wrong = Wrong(device.keks, device.labels)
    with pytest.raises(KeyWrappingError, match="it unwraps, but not to the fleet key"):
        WrappedKey.wrapped_by(wrong, kek_id, KEY, "fleet")
