"""Settings with wrapped keys: what the services get, and what they are told."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyturn.checked_settings import checked_settings
from keyturn.log_keys.public import LogKeySettings
from keyturn.wrapped_keys import unwrapping
from keyturn.wrapped_keys.rings import given_rings
from keyturn.wrapped_keys.unwrapping import checked_stand_ins, settings_with_keys, unwrapped_values
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.jose import base64url
from keyturn_shared.key_wrapping import KeyWrapping, KeyWrappingError, WrappedKey
from keyturn_shared.key_wrapping_settings import KeyWrappingSettings
from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.keys import LogSigningKeys
from keyturn_verifier.settings import FetcherSettings, VerifierSettings
from tests.testkit.software_device import SoftwareDevice

ENCRYPTION, FORMER, FLEET = b"e" * 32, b"f" * 32, b"g" * 32


class Scene:
    """The environment of a service, and a device. ``used``: how often the device was opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.device = SoftwareDevice()
        self.kek_id = self.device.generate_kek("kek")
        self.used = 0
        self.set = monkeypatch.setenv
        self.unset = monkeypatch.delenv
        monkeypatch.setattr(unwrapping, "use_device", self._use)

    def _use(self, settings: KeyWrappingSettings, work: Callable[[KeyWrapping], Any]) -> Any:
        self.used += 1
        return work(self.device)

    def wrapped(self, key: bytes, purpose: str) -> str:
        return str(WrappedKey.wrapped_by(self.device, self.kek_id, key, purpose))


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    for name in [name for name in os.environ if name.startswith("KEYTURN_")]:
        monkeypatch.delenv(name)
    made = Scene(monkeypatch)
    made.set("KEYTURN_ENCRYPTION_KEYS", made.wrapped(ENCRYPTION, "encryption"))
    made.set("KEYTURN_FLEET_KEYS", made.wrapped(FLEET, "fleet"))
    return made


def ids(*keys: bytes, purpose: str = "encryption") -> tuple[str, ...]:
    return KeyRing(keys, purpose=purpose).key_ids


def problems(kind: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        checked_settings(kind, os.environ)
    return caught.value.detail.split("\n")


def test_a_service_gets_its_keys_and_its_environment_has_none(scene: Scene) -> None:
    settings = checked_settings(CredentialsSettings, os.environ)
    assert settings.encryption_ring().key_ids == ids(ENCRYPTION)
    assert settings.fleet_ring().key_ids == ids(FLEET, purpose="fleet")
    assert scene.used == 1
    for key in (ENCRYPTION, FLEET):
        text = base64url.encode_text(key)
        assert text not in "\n".join(os.environ.values())
        assert text not in repr(settings)


def test_plain_and_wrapped_keys_keep_their_order(scene: Scene) -> None:
    plain = base64url.encode_text(FORMER)
    wrapped = scene.wrapped(ENCRYPTION, "encryption")
    for text, order in (
        (f"{wrapped},{plain}", (ENCRYPTION, FORMER)),
        (f"{plain}, {wrapped}", (FORMER, ENCRYPTION)),
    ):
        scene.set("KEYTURN_ENCRYPTION_KEYS", text)
        assert settings_with_keys(CredentialsSettings).encryption_ring().key_ids == ids(*order)


def test_plain_keys_alone_need_no_device(scene: Scene) -> None:
    scene.set("KEYTURN_ENCRYPTION_KEYS", KeyRing.generate_key())
    scene.set("KEYTURN_FLEET_KEYS", KeyRing.generate_key())
    assert unwrapped_values(CredentialsSettings) == {}
    checked_settings(CredentialsSettings, os.environ)
    assert scene.used == 0


@pytest.mark.parametrize("kind", [VerifierSettings, FetcherSettings])
def test_a_node_unwraps_none_of_the_keys_that_it_does_not_have(
    scene: Scene, kind: type[VerifierSettings]
) -> None:
    scene.set("KEYTURN_ENCRYPTION_KEYS", "A256KW.unreadable")
    settings = checked_settings(kind, os.environ)
    assert settings.fleet_keys is not None
    assert settings.fleet_keys.get_secret_value() == base64url.encode_text(FLEET)


def test_values_come_before_the_environment(scene: Scene) -> None:
    other = scene.wrapped(FORMER, "encryption")
    found = unwrapped_values(CredentialsSettings, {"encryption_keys": other, "fleet_keys": "plain"})
    assert {name: value.get_secret_value() for name, value in found.items()} == {
        "encryption_keys": base64url.encode_text(FORMER)
    }


def test_every_problem_has_a_line_and_names_its_key(scene: Scene) -> None:
    absent = str(WrappedKey(b"\xff", "00000000", bytes(40)))
    moved = scene.wrapped(FORMER, "fleet")
    scene.set("KEYTURN_ENCRYPTION_KEYS", f"{scene.wrapped(ENCRYPTION, 'encryption')},{absent},{moved}")
    scene.set("KEYTURN_FLEET_KEYS", absent)
    scene.set("KEYTURN_LEASE_SECONDS", "long")
    lines = problems(CredentialsSettings)
    assert lines[:3] == [
        "KEYTURN_ENCRYPTION_KEYS: key 2: no key encryption key with the id ff",
        f"KEYTURN_ENCRYPTION_KEYS: key 3: it unwraps, but not to the encryption key {moved.split('.')[2]}:"
        " its id was altered, or it is the key of another ring",
        "KEYTURN_FLEET_KEYS: no key encryption key with the id ff",
    ]
    assert lines[3].startswith("KEYTURN_LEASE_SECONDS: ")
    assert len(lines) == 4


def test_what_is_no_wrapped_key_is_told_before_the_device_is_used(scene: Scene) -> None:
    scene.set("KEYTURN_FLEET_KEYS", scene.wrapped(FLEET, "fleet")[:-1])
    told = "KEYTURN_FLEET_KEYS: not what `keyturn key-wrapping` prints: it was cut off or altered"
    assert problems(CredentialsSettings) == [told]
    assert scene.used == 0


def test_a_wrong_plain_key_beside_a_wrapped_one_is_told(scene: Scene) -> None:
    scene.set("KEYTURN_FLEET_KEYS", f"{scene.wrapped(FLEET, 'fleet')},short")
    (line,) = problems(VerifierSettings)
    assert line.startswith("KEYTURN_FLEET_KEYS: a fleet key ")
    assert "short" not in line


def test_a_device_that_fails_is_one_problem(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(settings: KeyWrappingSettings, work: object) -> object:
        raise KeyWrappingError("the token 'keys' refuses the PIN")

    monkeypatch.setattr(unwrapping, "use_device", fail)
    told = "no wrapped key can be unwrapped: the token 'keys' refuses the PIN"
    assert problems(CredentialsSettings) == [told]


def test_a_check_uses_no_device_and_returns_none_of_its_keys(scene: Scene, tmp_path: Path) -> None:
    module = tmp_path / "module.so"
    module.touch()
    scene.set("KEYTURN_PKCS11_MODULE", str(module))
    scene.set("KEYTURN_PKCS11_TOKEN", "keys")
    plain = KeyRing.generate_key()
    scene.set("KEYTURN_ENCRYPTION_KEYS", f"{scene.wrapped(ENCRYPTION, 'encryption')},{plain}")
    checked = checked_settings(CredentialsSettings, os.environ, checked_stand_ins)
    _, kept = checked.encryption_keys.get_secret_value().split(",")
    assert kept == plain
    assert not set(ids(ENCRYPTION)) & set(checked.encryption_ring().key_ids)
    assert scene.used == 0


def test_a_check_says_what_is_missing(scene: Scene) -> None:
    scene.set("KEYTURN_PKCS11_PIN_FILE", "/none/pin")
    scene.set("KEYTURN_PKCS11_SECONDS", "0")
    with pytest.raises(ConfigurationError) as caught:
        checked_settings(VerifierSettings, os.environ, checked_stand_ins)
    (seconds,) = caught.value.detail.split("\n")
    assert seconds.startswith("KEYTURN_PKCS11_SECONDS: ")
    scene.unset("KEYTURN_PKCS11_SECONDS")
    with pytest.raises(ConfigurationError) as caught:
        checked_settings(VerifierSettings, os.environ, checked_stand_ins)
    assert caught.value.detail.split("\n") == [
        "KEYTURN_PKCS11_MODULE: required to unwrap keys, but not set",
        "KEYTURN_PKCS11_TOKEN: required to unwrap keys, but not set",
        "KEYTURN_PKCS11_PIN_FILE: /none/pin: there is no such file",
    ]


def test_a_token_is_named_once(scene: Scene) -> None:
    scene.set("KEYTURN_PKCS11_TOKEN", "keys")
    scene.set("KEYTURN_PKCS11_SERIAL", "0f")
    told = "KEYTURN_PKCS11_TOKEN and KEYTURN_PKCS11_SERIAL are both set: name the token by one of them"
    assert problems(CredentialsSettings) == [told]


def test_a_command_with_keys_of_another_setting_needs_no_device(scene: Scene) -> None:
    instead = ["log_signing_keys"]
    assert settings_with_keys(LogKeySettings, instead=instead).keys() is not None
    assert scene.used == 1
    key = LogSigningKeys.generate_key()
    scene.set("KEYTURN_LOG_SIGNING_KEYS", key)
    settings = settings_with_keys(LogKeySettings, instead=instead)
    assert settings.keys().public_keys == LogSigningKeys.from_text(key).public_keys
    assert scene.used == 1


def test_plain_keys_beside_wrapped_ones_are_not_in_the_form_for_logs(scene: Scene) -> None:
    plain = KeyRing.generate_key()
    scene.set("KEYTURN_FLEET_KEYS", f"{plain},{scene.wrapped(FLEET, 'fleet')}")
    (given,) = given_rings(VerifierSettings)
    assert given.is_mixed
    assert plain not in repr(given)
