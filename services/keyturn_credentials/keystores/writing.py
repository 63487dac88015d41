"""Archives of generated keys, for the client to store."""

import os
from collections.abc import Callable, Sequence
from datetime import datetime

from keyturn_credentials.keystores.archive import (
    ArchivePasswords,
    CertificateEntry,
    KeyEntry,
    check_aliases,
    check_passwords,
)
from keyturn_credentials.keystores.errors import FormatNotSupportedError
from keyturn_credentials.keystores.formats import ARCHIVE_FORMATS, BCFKS_NOT_SUPPORTED, KeyStoreFormat
from keyturn_credentials.keystores.jks_writer import write_jks
from keyturn_credentials.keystores.pkcs12_writer import write_pkcs12


def write_archive(
    archive_format: KeyStoreFormat,
    entries: Sequence[KeyEntry | CertificateEntry],
    passwords: ArchivePasswords,
    *,
    now: datetime,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> bytes:
    """Write a JKS or PKCS #12 archive that Java's keytool opens. PKCS #12 takes some tenths of a second.

    In JKS the private keys are encrypted under the key password. In PKCS #12, keytool, OpenSSL, browsers,
    Bouncy Castle and so Keycloak use one password, so there they are under the store password; as in
    Keycloak, the key password is required all the same, and has no effect.

    Raises FormatNotSupportedError, PasswordMissingError, InvalidParameterError.
    """
    if archive_format not in ARCHIVE_FORMATS:
        raise FormatNotSupportedError(_not_supported(archive_format))
    store_password = check_passwords(entries, passwords)
    check_aliases([entry.alias for entry in entries])
    if archive_format is KeyStoreFormat.PKCS12:
        return write_pkcs12(entries, store_password=store_password, now=now, random_bytes=random_bytes)
    return write_jks(
        entries,
        store_password=store_password,
        key_password=passwords.key or store_password,  # unused without a key entry
        now=now,
        random_bytes=random_bytes,
    )


def _not_supported(archive_format: KeyStoreFormat) -> str:
    if archive_format is KeyStoreFormat.BCFKS:
        return BCFKS_NOT_SUPPORTED
    return f"{archive_format.value} is not an archive format; supported: {', '.join(ARCHIVE_FORMATS)}"
