"""``keyturn key-wrapping``: keys are made, wrapped and rewrapped on a real token, and mistakes are told."""

import os

import pytest
from pkcs11.mechanisms import KeyType

from keyturn_shared.key_wrapping import WrappedKey, key_id_of
from keyturn_shared.sealing import KeyRing, keys_from_text
from tests.integration.key_wrapping.conftest import Operator

KEK = os.urandom(32)


def test_keys_are_made_and_wrapped_and_move_to_another_kek(operator: Operator) -> None:
    first, second = (operator.printed("key-wrapping", "new-kek", label) for label in ("kek-1", "kek-2"))
    assert first != second
    made = operator.printed("key-wrapping", "new", "encryption", "--kek", "kek-1")
    plain = KeyRing.generate_key()
    ring = f"{made},{plain}"
    ids = [made.split(".")[2], key_id_of(keys_from_text(plain, "encryption")[0], "encryption")]
    shown = operator.run("key-wrapping", "show", "encryption", KEYTURN_ENCRYPTION_KEYS=ring)
    assert shown.out.splitlines() == [f"{ids[0]} wrapped under {first}", f"{ids[1]} plain"]

    wrapped = operator.printed(
        "key-wrapping", "wrap", "encryption", "--kek", "kek-1", KEYTURN_ENCRYPTION_KEYS=ring
    )
    kept, added = map(WrappedKey.parse, wrapped.split(","))
    assert str(kept) == made, "it is left as it is"
    assert (added.kek_id.hex(), added.key_id) == (first, ids[1])
    assert plain not in wrapped

    rewrapped = operator.printed(
        "key-wrapping", "wrap", "encryption", "--kek", "kek-2", KEYTURN_ENCRYPTION_KEYS=wrapped
    )
    keys = [WrappedKey.parse(each) for each in rewrapped.split(",")]
    assert [(key.kek_id.hex(), key.key_id) for key in keys] == [(second, each) for each in ids]


def test_a_ring_is_read_from_the_file_that_the_service_has(operator: Operator) -> None:
    operator.printed("key-wrapping", "new-kek", "kek")
    file = operator.directory / "fleet_keys"
    file.write_text(KeyRing.generate_key())
    before = file.read_text()
    wrapped = operator.printed(
        "key-wrapping", "wrap", "fleet", "--kek", "kek", KEYTURN_FLEET_KEYS_FILE=str(file)
    )
    assert WrappedKey.parse(wrapped).key_id == key_id_of(keys_from_text(before, "fleet")[0], "fleet")
    assert file.read_text() == before


def test_mistakes_are_told_and_nothing_is_printed(operator: Operator) -> None:
    operator.printed("key-wrapping", "new-kek", "kek")
    wrap = ("key-wrapping", "wrap", "encryption", "--kek", "kek")
    plain = KeyRing.generate_key()
    assert operator.refused(*wrap) == ["KEYTURN_ENCRYPTION_KEYS: required, but not set"]
    assert operator.refused("key-wrapping", "new-kek", "kek") == ["the token 'keys' has a key 'kek' already"]
    assert operator.refused("key-wrapping", "new-kek", " ") == ["a label has 1 to 64 printable characters"]
    assert operator.refused("key-wrapping", "new", "fleet", "--kek", "none") == [
        "the token 'keys' has no key encryption key 'none'"
    ]
    for wrong, told in (
        (f"{plain},c2hvcnQ", "KEYTURN_ENCRYPTION_KEYS: key 2: an encryption key has 5 bytes, not 32"),
        (f"{plain},*", "KEYTURN_ENCRYPTION_KEYS: key 2: an encryption key is not base64url"),
        (
            "A256KW.",
            "KEYTURN_ENCRYPTION_KEYS: not what `keyturn key-wrapping` prints: it was cut off or altered",
        ),
    ):
        assert operator.refused(*wrap, KEYTURN_ENCRYPTION_KEYS=wrong) == [told]
    for name in ("MODULE", "TOKEN"):
        told = f"KEYTURN_PKCS11_{name}: required to unwrap keys, but not set"
        (line,) = operator.refused("key-wrapping", "new-kek", "k", **{f"KEYTURN_PKCS11_{name}": ""})
        assert line == told or line.startswith("KEYTURN_PKCS11_MODULE: .:")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"EXTRACTABLE": True}, "can leave its token: a key encryption key is sensitive and not extractable"),
        ({"SENSITIVE": False}, "can leave its token: a key encryption key is sensitive and not extractable"),
        ({"VALUE": KEK[:16]}, "is no AES key of 256 bits"),
        ({"KEY_TYPE": KeyType.GENERIC_SECRET}, "is no AES key of 256 bits"),
        ({"ID": b""}, "has no id (CKA_ID), by which wrapped keys name it"),
        ({"WRAP": False}, "may not wrap: its CKA_WRAP is false"),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
def test_a_key_that_is_no_kek_wraps_nothing(
    operator: Operator, changes: dict[str, object], told: str
) -> None:
    operator.hsm.add_secret_key("keys", "kek", b"\x01", **{"value": KEK} | changes)  # type: ignore[arg-type]
    (line,) = operator.refused("key-wrapping", "new", "fleet", "--kek", "kek")
    assert line.endswith(told)


def test_several_keks_of_one_name_are_told(operator: Operator) -> None:
    operator.hsm.add_secret_key("keys", "kek", b"\x01", KEK)
    operator.hsm.add_secret_key("keys", "kek", b"\x02", KEK)
    (line,) = operator.refused("key-wrapping", "new", "fleet", "--kek", "kek")
    assert line == "the token 'keys' has several keys 'kek'"
