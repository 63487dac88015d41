"""Errors of backups."""

from keyturn_shared.errors import KeyturnError


class BackupError(KeyturnError):
    """The file is not a backup, is damaged, or cannot be used here."""

    code = "backup_unusable"
