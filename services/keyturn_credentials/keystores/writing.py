"""Archives with what was made here, for the client to keep."""

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
from keyturn_credentials.keystores.jks import write_jks
from keyturn_credentials.keystores.pkcs12 import write_pkcs12


def write_archive(
    archive_format: KeyStoreFormat,
    entries: Sequence[KeyEntry | CertificateEntry],
    passwords: ArchivePasswords,
    *,
    now: datetime,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> bytes:
    """A JKS or PKCS #12 archive that Java's keytool opens. Takes some tenths of a second for PKCS #12.

    Private keys lie under the key password in JKS. PKCS #12 has one password for keytool, OpenSSL, browsers
    and Bouncy Castle, which is what Keycloak writes it with, so there they lie under the store password; the
    key password has to be given all the same, as Keycloak has it, and has no effect.

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
        key_password=passwords.key
        or store_password,  # without a key entry the latter, which then is not used
        now=now,
        random_bytes=random_bytes,
    )


def _not_supported(archive_format: KeyStoreFormat) -> str:
    if archive_format is KeyStoreFormat.BCFKS:
        return BCFKS_NOT_SUPPORTED
    return f"{archive_format.value} is not an archive; there are {', '.join(ARCHIVE_FORMATS)}"
