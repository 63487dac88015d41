"""Files with keys: what they are, and that no private key leaves."""

import io
import json
from codecs import BOM_UTF8
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.key_files import MAX_FILE_BYTES, format_of, has_private_key, read_key_file
from keyturn_credentials.keystores import KeyStoreFormat
from keyturn_credentials.keystores.errors import PrivateKeyPresentError
from keyturn_credentials.keystores.key_set import read_key_set
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.keystores.errors import KeyStoreError

KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class TerminalInput(io.StringIO):
    """Standard input of a program at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("content", "suffix", "name"),
    [
        (b"-----BEGIN CERTIFICATE-----\nMII", ".pem", "Certificate PEM"),
        (PUBLIC, "", "Public Key PEM"),
        (b'\n {"keys": []}', ".txt", "JSON Web Key Set"),
        (b'\xef\xbb\xbf{"keys": []}', ".json", "JSON Web Key Set"),
        (b'\xef\xbb\xbf\n{"keys": []}', "", "JSON Web Key Set"),
        (b"\xfe\xed\xfe\xed\0\0\0\2", "", "JKS"),
        (b"\x30\x82", ".P12", "PKCS12"),
        (b"\x30\x82", ".pfx", "PKCS12"),
        (b"\x30\x82", ".jks", "JKS"),
        (b"\x30\x82", ".der", None),
        (b"text", ".p12", None),
    ],
)
def test_the_format_is_found_out(content: bytes, suffix: str, name: str | None) -> None:
    assert format_of(content, suffix) == name
    assert name is None or name in list(KeyStoreFormat)


def test_private_keys_are_recognised() -> None:
    own = SigningKey.generate()
    private = json.loads(own.export_private_jwk())
    for content in (
        KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()) + PUBLIC,
        own.export_private_jwk(),
        json.dumps({"keys": [own.public_jwk, private]}).encode(),
        b'{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}',
    ):
        for marked in (content, BOM_UTF8 + content, b"\n" + BOM_UTF8 + content):
            assert has_private_key(marked), marked[:30]
        for encoding in ("utf-16", "utf-16-le"):  # as PowerShell writes files
            assert has_private_key(content.decode().encode(encoding)), content[:30]
    absent = json.dumps({"keys": [{**own.public_jwk, "d": None, "k": None}]}).encode()
    public = json.dumps({"keys": [own.public_jwk]}).encode()
    for content in (PUBLIC, public, absent, BOM_UTF8 + absent, b"[1]", b"{", b"[" * 100_000):
        assert not has_private_key(content), content[:30]


@pytest.mark.parametrize(
    "text",
    [
        '{"keys": [{"kty": "EC", "d": "c2VjcmV0", "d": null}]}',
        '{"keys": [{"kty": "EC", "d": "c2VjcmV0"}], "keys": []}',
        '[{"kty": "EC", "d": "c2VjcmV0"}]',
        '{"keys": [{"kty": "EC", "d" : "c2VjcmV0"},]}',
        "{'keys': [{'kty': 'EC', 'd': 'c2VjcmV0'}]}",
        '{"keys": [{"kty": "EC", "d": "c2VjcmV0"',
    ],
)
def test_a_private_key_is_recognised_in_what_the_server_would_refuse(text: str) -> None:
    assert has_private_key(text.encode())


def test_a_key_is_private_here_if_the_server_calls_it_so() -> None:
    for jwk in (
        {"kty": "EC", "d": "c2VjcmV0"},
        {"kty": "EC", "d": ""},
        {"kty": "EC", "d": None},
        {"kty": "EC"},
    ):
        for document in (jwk, {"keys": [jwk]}, {"keys": [{"kty": "RSA", "ext": jwk}]}):
            content = json.dumps(document).encode()
            try:
                read_key_set(content)
            except KeyStoreError as error:
                private = isinstance(error, PrivateKeyPresentError)
            assert has_private_key(content) == private, document


def test_a_file_with_a_private_key_is_not_sent_and_not_quoted(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    own = SigningKey.generate()
    file.write_bytes(own.export_private_jwk())
    for file_format in (None, "JSON Web Key Set", "PKCS12"):
        with pytest.raises(CommandError) as refused:
            read_key_file(file, file_format, None)
        assert refused.value.exit_code is ExitCode.USAGE
        assert json.loads(own.export_private_jwk())["d"] not in refused.value.detail


def test_an_archive_has_a_password_from_a_file(tmp_path: Path) -> None:
    archive, password = tmp_path / "keys.p12", tmp_path / "password"
    archive.write_bytes(b"\x30\x82")
    password.write_text("s\n")
    read = read_key_file(archive, None, password)
    assert read.password is not None
    assert (read.file_format, read.password.reveal()) == ("PKCS12", "s")


@pytest.mark.parametrize("written", ["", "\n", "\r\n"])
def test_the_password_of_an_archive_may_be_empty(tmp_path: Path, written: str) -> None:
    archive, password = tmp_path / "keys.p12", tmp_path / "password"
    archive.write_bytes(b"\x30\x82")
    password.write_bytes(written.encode())
    read = read_key_file(archive, None, password)
    assert read.password is not None
    assert read.password.reveal() == ""


def test_enter_is_an_empty_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "keys.p12"
    archive.write_bytes(b"\x30\x82")
    answers = iter([""])
    monkeypatch.setattr("sys.stdin", TerminalInput())
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: next(answers))
    read = read_key_file(archive, None, None)
    assert read.password is not None
    assert read.password.reveal() == ""


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    unknown, large = tmp_path / "unknown", tmp_path / "large"
    unknown.write_text("text")
    large.write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    for file in (unknown, large, tmp_path / "missing"):
        with pytest.raises(CommandError, match=str(file)) as refused:
            read_key_file(file, None, None)
        assert refused.value.exit_code is ExitCode.USAGE
