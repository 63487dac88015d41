"""One suite for every device that wraps keys."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyturn.pkcs11 import Pkcs11KeyWrapping
from keyturn_shared.key_wrapping import KeyWrapping, KeyWrappingError, WrappedKey, key_id_of
from tests.testkit.softhsm import PIN, SoftHsm, softhsm
from tests.testkit.software_device import SoftwareDevice

KEY = bytes(range(32))


@pytest.fixture(scope="module")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    with softhsm(tmp_path_factory.mktemp("softhsm")) as made:
        made.make_token("keys")
        yield made


@pytest.fixture
def token(hsm: SoftHsm, tmp_path: Path) -> Pkcs11KeyWrapping:
    (tmp_path / "pin").write_text(PIN)
    return Pkcs11KeyWrapping(hsm.module, token="keys", serial=None, pin=tmp_path / "pin")


@pytest.fixture(params=["pkcs11", "software"])
def device(request: pytest.FixtureRequest, token: Pkcs11KeyWrapping) -> Iterator[KeyWrapping]:
    made: KeyWrapping = token if request.param == "pkcs11" else SoftwareDevice()
    made.open()
    yield made
    made.close()


@pytest.fixture
def label() -> str:
    return f"kek {os.urandom(8).hex()}"


def test_a_key_that_was_wrapped_unwraps(device: KeyWrapping, label: str) -> None:
    kek_id = device.generate_kek(label)
    assert device.find_kek(label) == kek_id
    wrapped = device.wrap(kek_id, KEY)
    assert len(wrapped) == 40
    assert KEY not in wrapped
    assert device.unwrap(kek_id, wrapped) == KEY


def test_generated_keys_are_all_different(device: KeyWrapping, label: str) -> None:
    kek_id = device.generate_kek(label)
    keys = {device.unwrap(kek_id, device.generate(kek_id)) for _ in range(3)}
    assert [len(key) for key in keys] == [32, 32, 32]


def test_no_altered_key_unwraps_and_the_device_goes_on(device: KeyWrapping, label: str) -> None:
    kek_id = device.generate_kek(label)
    wrapped = device.wrap(kek_id, KEY)
    for place in (0, 7, 8, 39):
        altered = bytearray(wrapped)
        altered[place] ^= 1
        with pytest.raises(KeyWrappingError, match="it does not unwrap"):
            device.unwrap(kek_id, bytes(altered))
    for length in (0, 16, 39):
        with pytest.raises(KeyWrappingError):
            device.unwrap(kek_id, wrapped[:length])
    assert device.unwrap(kek_id, wrapped) == KEY


def test_a_key_wrapped_under_another_kek_does_not_unwrap(device: KeyWrapping, label: str) -> None:
    first, second = device.generate_kek(label), device.generate_kek(f"{label} again")
    with pytest.raises(KeyWrappingError, match="it does not unwrap"):
        device.unwrap(second, device.wrap(first, KEY))


def test_a_kek_that_is_not_there_is_told(device: KeyWrapping, label: str) -> None:
    with pytest.raises(KeyWrappingError, match="no key encryption key"):
        device.find_kek(label)
    for call in (device.wrap, device.unwrap):
        with pytest.raises(KeyWrappingError, match="no key encryption key with the id ff"):
            call(b"\xff", bytes(40))
    with pytest.raises(KeyWrappingError, match="no key encryption key with the id ff"):
        device.generate(b"\xff")


def test_a_label_names_one_kek(device: KeyWrapping, label: str) -> None:
    kek_id = device.generate_kek(label)
    with pytest.raises(KeyWrappingError, match="already"):
        device.generate_kek(label)
    assert device.find_kek(label) == kek_id


def test_a_closed_session_is_opened_again(device: KeyWrapping, label: str) -> None:
    kek_id = device.generate_kek(label)
    device.close()
    device.open()
    assert device.unwrap(kek_id, device.wrap(kek_id, KEY)) == KEY


def test_a_written_key_is_that_of_its_ring_and_id(device: KeyWrapping, label: str) -> None:
    kek_id = device.generate_kek(label)
    made = WrappedKey.wrapped_by(device, kek_id, KEY, "encryption")
    read = WrappedKey.parse(str(made))
    assert read == made
    assert read.key_id == key_id_of(KEY, "encryption")
    assert read.unwrapped_by(device, "encryption") == KEY
    for wrong in (read, WrappedKey(kek_id, "00000000", read.wrapped)):
        with pytest.raises(KeyWrappingError, match="it unwraps, but not to the"):
            wrong.unwrapped_by(device, "fleet")
    fresh = WrappedKey.generated_by(device, kek_id, "fleet")
    assert key_id_of(fresh.unwrapped_by(device, "fleet"), "fleet") == fresh.key_id


def test_both_kinds_of_device_wrap_alike(hsm: SoftHsm, token: Pkcs11KeyWrapping, label: str) -> None:
    """Test vector of RFC 3394 section 4.6, and that a token with the same key wraps so."""
    kek = bytes.fromhex("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F")
    key = bytes.fromhex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F")
    vector = "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21"
    assert SoftwareDevice({b"\x01": kek}).wrap(b"\x01", key).hex().upper() == vector
    hsm.add_secret_key("keys", label, b"\x46\x01", kek)
    token.open()
    assert token.wrap(b"\x46\x01", key).hex().upper() == vector
    assert token.unwrap(b"\x46\x01", bytes.fromhex(vector)) == key
    token.close()
