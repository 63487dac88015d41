"""Record on disk of what each sink has got: digests, never a secret."""

import hashlib
import json
import logging
import secrets
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from keyturn_shared.private_files import write_private

_SALT_BYTES: Final = 16

Time = Annotated[float, msgspec.Meta(ge=0, le=32_503_680_000)]
"""Unix time, before the year 3000."""

_log = logging.getLogger(__name__)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """State of one sink. ``digest``: of the secret that is being delivered or was, with the sink's settings.
    ``id``, ``since``: of that delivery. ``delivered_at``: None as long as it was not; Unix time. ``notes``:
    of the newest delivery that succeeded."""

    salt: str
    digest: str
    id: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
    since: Time
    delivered_at: Time | None = None
    notes: dict[str, int] = msgspec.field(default_factory=dict)

    def is_of(self, settings: bytes, secret: str) -> bool:
        return self.digest == digest_of(self.salt, settings, secret)


class Record:
    """File with an entry for each sink, beside the state of the client's secrets and with the same mode,
    0600. A file that cannot be read is as good as none: secrets are delivered anew."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, label: str) -> Entry | None:
        """Return the entry of a sink; None if there is none."""
        try:
            return msgspec.convert(self._all().get(label), Entry | None)
        except msgspec.ValidationError:
            return None

    def write(self, label: str, entry: Entry) -> None:
        """Store the entry of a sink. A failure is logged only: it costs one more delivery after a restart."""
        entries = self._all() | {label: msgspec.to_builtins(entry)}
        try:
            write_private(self._path, json.dumps(entries) + "\n")
        except OSError as error:
            _log.warning("%s cannot be written: %s", self._path, error.strerror or error)

    def _all(self) -> dict[str, Any]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def digest_of(salt: str, settings: bytes, secret: str) -> str:
    """Return a digest of a secret on its way to one place. The salt keeps equal secrets of several sinks from
    being recognized."""
    return hashlib.sha256(b"\0".join((salt.encode(), settings, secret.encode()))).hexdigest()


def new_salt() -> str:
    return secrets.token_hex(_SALT_BYTES)
