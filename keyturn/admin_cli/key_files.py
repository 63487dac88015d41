"""Files with a client's keys: their format, and a check that no private key is sent in clear text."""

import re
import sys
from codecs import BOM_UTF8
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.sign_in import read_secret
from keyturn_shared.jose.errors import InvalidKeySetError
from keyturn_shared.jose.jwk import PRIVATE_MEMBERS
from keyturn_shared.jose.key_set import has_private_keys, read_document
from keyturn_shared.secret import Secret

MAX_FILE_BYTES: Final = 2 * 1024 * 1024
CERTIFICATE, PUBLIC_KEY = "Certificate PEM", "Public Key PEM"
JWK_SET = "JSON Web Key Set"
_ARCHIVES: Final = {".p12": "PKCS12", ".pfx": "PKCS12", ".jks": "JKS"}
_JKS_MAGIC: Final = b"\xfe\xed\xfe\xed"
_DER_SEQUENCE: Final = b"\x30"
_PRIVATE_MEMBER: Final = re.compile(
    rb"""["'](?:%b)["']\s*:\s*(?!null\b)""" % "|".join(sorted(PRIVATE_MEMBERS)).encode()
)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """``file_format``: as in Keycloak's ``keystoreFormat``. ``password``: of an archive."""

    file_format: str
    content: bytes
    password: Secret | None


def read_key_file(path: Path, file_format: str | None, password_file: Path | None) -> KeyFile:
    """Read a file with keys; an archive's password comes from a file or a question. Raises CommandError."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}", ExitCode.USAGE) from error
    if len(content) > MAX_FILE_BYTES:
        raise CommandError(f"{path} is longer than {MAX_FILE_BYTES} bytes", ExitCode.USAGE)
    if has_private_key(content):
        raise CommandError(
            f"{path} has a private key, which must stay with the client: import the public one",
            ExitCode.USAGE,
        )
    found = file_format or format_of(content, path.suffix)
    if found is None:
        raise CommandError(f"{path}: the format is not known; use --format", ExitCode.USAGE)
    return KeyFile(found, content, _password(password_file) if found in _ARCHIVES.values() else None)


def format_of(content: bytes, suffix: str) -> str | None:
    """Return the format of a file by its content; None if it is not known."""
    if b"-----BEGIN CERTIFICATE-----" in content:
        return CERTIFICATE
    if b"-----BEGIN PUBLIC KEY-----" in content:
        return PUBLIC_KEY
    if content.removeprefix(BOM_UTF8).lstrip().startswith(b"{"):
        return JWK_SET
    if content.startswith(_JKS_MAGIC):
        return "JKS"
    if content.startswith(_DER_SEQUENCE):
        return _ARCHIVES.get(suffix.lower())
    return None


def has_private_key(content: bytes) -> bool:
    """Return whether PEM or JSON has a private or symmetric key.

    A key set is judged as the server does. What the server would refuse unread is not sent either if it looks
    as if it had one.
    """
    text = content.replace(b"\0", b"")  # of UTF-16
    if b"PRIVATE KEY-----" in text:
        return True
    try:
        return has_private_keys(read_document(content.removeprefix(BOM_UTF8).strip()))
    except InvalidKeySetError:
        return b"kty" in text and _PRIVATE_MEMBER.search(text) is not None


def _password(file: Path | None) -> Secret | None:
    if file is not None:
        return read_secret(file, may_be_empty=True)
    if not sys.stdin.isatty():
        raise CommandError(
            "there is no terminal to ask for the password: use --password-file", ExitCode.USAGE
        )
    # With a default, Enter is an answer: archives may have an empty password.
    entered = typer.prompt(
        "Password of the archive", default="", show_default=False, hide_input=True, err=True
    )
    return Secret(entered)
