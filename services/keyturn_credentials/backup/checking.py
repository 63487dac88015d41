"""A check of a backup that touches no database: whether it is whole, and could be restored here."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from keyturn_credentials.backup.contents import Digests, End, Header, Summary
from keyturn_credentials.backup.document import read_parts, verify_seal
from keyturn_credentials.backup.errors import BackupError
from keyturn_credentials.backup.key_needs import missing_encryption_keys, unchecked_digests
from keyturn_credentials.backup.taking import Description
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.migrate import Schema, schema_of
from keyturn_shared.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Checked:
    """A backup that is whole. ``digest``: of its contents. ``unchecked``: secrets that the configured
    fleet keys cannot check."""

    description: Description
    digest: str
    unchecked: Sequence[Digests]


def open_backup(file: Path) -> BinaryIO:
    """Open a backup for reading. Raises ConfigurationError."""
    try:
        if not file.is_file():
            raise ConfigurationError(
                f"{file} is not a regular file" if file.exists() else f"there is no {file}"
            )
        return file.open("rb")
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror or error}") from error


def check_backup(settings: CredentialsSettings, stream: BinaryIO) -> Checked:
    """Read a backup to its end. Raises BackupError if it is damaged or altered, of a later release, or sealed
    under keys that are not configured."""
    header: Header | None = None
    summary: Summary | None = None
    for part in read_parts(stream):
        if isinstance(part, Header):
            header = part
        elif isinstance(part, Summary):
            summary = part
        elif isinstance(part, End):
            end = part
    assert header is not None  # noqa: S101 - ``read_parts`` raises otherwise
    assert summary is not None  # noqa: S101
    ring = settings.encryption_ring()
    verify_seal(end, ring)
    _require_known(header)
    missing = missing_encryption_keys(summary, ring)
    if missing:
        raise BackupError(
            f"KEYTURN_ENCRYPTION_KEYS lacks {', '.join(missing)} (a key's id, not the key), which sealed"
            " secrets and keys in the backup"
        )
    unchecked = unchecked_digests(summary, settings.fleet_ring())
    return Checked(Description(header, summary, stream.tell()), end.sha256, unchecked)


def _require_known(header: Header) -> None:
    if schema_of({header.schema}) is Schema.NEWER:
        raise BackupError(
            f"the backup is of release {header.release}, whose schema ({header.schema}) this release does not"
            f" know: restore it with release {header.release} or a later one"
        )


def require_fleet_keys(unchecked: Sequence[Digests]) -> None:
    """Raise BackupError if secrets are stored as digests only under fleet keys that are not configured."""
    if not unchecked:
        return
    shown = "; ".join(f"{each.secrets} in realm {each.realm} under key {each.key}" for each in unchecked[:3])
    more = f" and {len(unchecked) - 3} more" if len(unchecked) > 3 else ""
    raise BackupError(
        f"KEYTURN_FLEET_KEYS lacks keys of secrets that are stored as digests only: {shown}"
        f"{more}. Add the former keys; without them, these secrets are refused until they are regenerated"
        " (--force restores the rest)"
    )
