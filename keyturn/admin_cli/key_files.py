"""Files with a client's keys: their format, and a check that no private key is sent in clear text."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.sign_in import read_secret
from keyturn_shared.jose.jwk import PRIVATE_MEMBERS
from keyturn_shared.secret import Secret

MAX_FILE_BYTES: Final = 2 * 1024 * 1024
CERTIFICATE, PUBLIC_KEY = "Certificate PEM", "Public Key PEM"
JWK_SET = "JSON Web Key Set"
_ARCHIVES: Final = {".p12": "PKCS12", ".pfx": "PKCS12", ".jks": "JKS"}
_JKS_MAGIC: Final = b"\xfe\xed\xfe\xed"
_DER_SEQUENCE: Final = b"\x30"


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
    if content.lstrip().startswith(b"{"):
        return JWK_SET
    if content.startswith(_JKS_MAGIC):
        return "JKS"
    if content.startswith(_DER_SEQUENCE):
        return _ARCHIVES.get(suffix.lower())
    return None


def has_private_key(content: bytes) -> bool:
    """Return whether PEM or JSON has a private or symmetric key."""
    if b"PRIVATE KEY-----" in content:
        return True
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return False
    keys = document.get("keys", [document]) if isinstance(document, dict) else []
    return any(isinstance(key, dict) and PRIVATE_MEMBERS & key.keys() for key in keys)


def _password(file: Path | None) -> Secret | None:
    if file is not None:
        return read_secret(file)
    if not sys.stdin.isatty():
        raise CommandError(
            "there is no terminal to ask for the password: use --password-file", ExitCode.USAGE
        )
    return Secret(typer.prompt("Password of the archive", hide_input=True, err=True))
