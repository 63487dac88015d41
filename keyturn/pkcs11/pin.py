"""The PIN of a token: read each time, and never given twice if it is wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from pkcs11.exceptions import PinIncorrect, PinInvalid, PinLenRange

from keyturn.client.signer import SignerError
from keyturn_shared.secret import Secret

Pin = Path | Callable[[], str] | None
"""A file with the PIN, or what returns it; None for a token that needs none."""

WRONG_PIN: Final = (PinIncorrect, PinInvalid, PinLenRange)


class PinReader:
    """Reads the PIN whenever it is needed: it may have been changed."""

    def __init__(self, source: Pin) -> None:
        self._source = source
        self._read: Secret | None = None
        self._wrong: Secret | None = None

    @property
    def is_needed(self) -> bool:
        return self._source is not None

    def read(self) -> str | None:
        """Return the PIN. Raises SignerError, and PinIncorrect for one that the token has refused."""
        if self._source is None:
            return None
        pin = _in_file(self._source) if isinstance(self._source, Path) else self._source()
        if self._wrong is not None and self._wrong.reveal() == pin:
            raise PinIncorrect
        self._read = Secret(pin)
        return pin

    def was_wrong(self) -> None:
        """Remember that the token has refused the PIN that was read last."""
        self._wrong = self._read


def _in_file(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise SignerError(f"the PIN file {path} cannot be read: {reason}") from None
    if not text:
        raise SignerError(f"the PIN file {path} is empty")
    return text
