"""Mistakes, each told in one sentence, and none with the PIN in it."""

from pathlib import Path
from typing import Any

import pytest

from keyturn import Pkcs11Signer, SignerError
from tests.integration.pkcs11.conftest import Token
from tests.testkit.softhsm import PIN


def refusal(of: Token, /, **changes: Any) -> str:
    with pytest.raises(SignerError) as refused:
        of.signer(**changes)
    assert PIN not in refused.value.detail
    assert refused.value.__cause__ is None
    return refused.value.detail


def test_a_module_that_is_none_is_named(token: Token, tmp_path: Path) -> None:
    text = tmp_path / "module.so"
    text.write_text("no library")
    for module, told in (
        (tmp_path / "none.so", "cannot open shared object file: No such file or directory"),
        (text, "file too short"),
    ):
        with pytest.raises(SignerError) as refused:
            Pkcs11Signer.open(module, token=token.label, key="orders", pin=token.pin_file)
        assert refused.value.detail == f"the PKCS#11 module {module} cannot be loaded: {told}"


def test_names_that_are_missing_or_fit_nothing_are_told(token: Token) -> None:
    token.make_key("P-256")
    module, label = token.hsm.module, token.label
    assert refusal(token, token="none") == f"{module} has no token 'none'"
    assert refusal(token, token=None, serial="0f") == f"{module} has no token with the serial number 0f"
    assert refusal(token, key="none") == f"the token {label!r} has no private key 'none'"
    assert refusal(token, key=None, key_id="ff") == f"the token {label!r} has no private key with the id ff"
    assert refusal(token, key_id="ff").endswith("has no private key 'orders' with the id ff")
    assert refusal(token, token=None) == "name the token by either its label or its serial number"
    assert refusal(token, serial="0f") == "name the token by either its label or its serial number"
    assert refusal(token, key=None) == "name the key by its label or its id"
    assert refusal(token, key_id="xy") == "the id of a key is in hexadecimal digits, and not 'xy'"


def test_several_of_one_name_are_told(token: Token) -> None:
    token.make_key("P-256", "orders", b"\x01")
    token.make_key("P-256", "orders", b"\x02")
    assert refusal(token).endswith("has several private keys 'orders': name it by its id")
    token.hsm.make_token(token.label)
    assert refusal(token).endswith(f"has several tokens {token.label!r}: name it by its serial number")


def test_a_pin_that_cannot_be_read_is_told(token: Token, tmp_path: Path) -> None:
    token.make_key("P-256")
    missing, empty = tmp_path / "none", tmp_path / "empty"
    empty.write_text("\n")
    assert refusal(token, pin=missing) == f"the PIN file {missing} cannot be read: No such file or directory"
    assert refusal(token, pin=empty) == f"the PIN file {empty} is empty"
    without = refusal(token, pin=None)
    assert without == f"the token {token.label!r} has no private key 'orders', or it shows none without a PIN"


def test_a_wrong_pin_is_tried_once_and_a_corrected_one_works(token: Token) -> None:
    token.make_key("P-256")
    signer = token.signer()
    token.session().close()
    token.pin_file.write_text("wrong")
    told = f"the token {token.label!r} refuses the PIN; the same one is not tried again, since tokens lock"
    assert refusal(token) == told
    for _ in range(5):
        with pytest.raises(SignerError) as refused:
            signer.sign(b"data")
        assert refused.value.detail == told
    token.pin_file.write_text(PIN)
    assert len(signer.sign(b"data")) == 64


@pytest.mark.parametrize(
    ("kind", "changes", "told"),
    [
        ("P-256", {"algorithm": "RS256"}, "alg 'RS256' on a key of another type"),
        ("P-256", {"algorithm": "ES384"}, "alg 'ES384' on a key of another type"),
        ("P-256", {"algorithm": "ES1"}, "alg 'ES1'"),
        ("RSA-1024", {}, "1024"),
        ("secp256k1", {}, "secp256k1"),
    ],
)
def test_a_key_that_no_verifier_accepts_is_told(
    token: Token, kind: str, changes: dict[str, Any], told: str
) -> None:
    token.make_key(kind)
    detail = refusal(token, **changes)
    assert detail.startswith("the key 'orders' cannot be used: ")
    assert told in detail


def test_a_key_that_may_not_sign_is_told(token: Token) -> None:
    token.make_key("P-256", SIGN=False)
    assert refusal(token) == "the key 'orders' may not sign: its attribute CKA_SIGN is false"
