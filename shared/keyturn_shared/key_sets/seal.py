"""Signed records of key sets: fetchers sign them, and only their records are accepted."""

from typing import Final

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.key_sets.record import KeySetRecord, KeySetRecordError, decode_record, encode_record
from keyturn_shared.signed_log.envelope import attach, detach
from keyturn_shared.signed_log.errors import ForgedError, UnsignedError
from keyturn_shared.signed_log.keys import LogSigningKeys, LogVerificationKeys
from keyturn_shared.signed_log.messages import key_set_message

_MAX_NAMED: Final = 16
"""Lists of fetchers' keys that are remembered: one is in use at a time, and two during a rotation."""


class FetcherKeys:
    """The public keys of the fleet's fetchers: those the process has itself, and those that the credentials
    service names in every realm, under its signature."""

    def __init__(self, own: LogVerificationKeys | None = None) -> None:
        self._own = [] if own is None else [own]
        self._named: dict[tuple[str, ...], LogVerificationKeys] = {}

    def learn(self, named: tuple[str, ...]) -> None:
        """Trust the keys named in a realm's verified projection, in addition to those named before."""
        if named and named not in self._named:
            if len(self._named) >= _MAX_NAMED:
                del self._named[next(iter(self._named))]
            try:
                self._named[named] = LogVerificationKeys.from_text(",".join(named))
            except ConfigurationError as error:
                raise ForgedError("a fetcher's key is not an Ed25519 public key") from error

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raise ForgedError unless one of the keys has signed this."""
        refused = ForgedError("no fetcher is known yet")
        for keys in (*self._own, *self._named.values()):
            try:
                return keys.verify(message, signature)
            except ForgedError as error:
                refused = error
        raise refused


class KeySetSeal:
    """Signs and checks records. ``signing``: None in a process that does not fetch and so stores nothing."""

    def __init__(self, signing: LogSigningKeys | None, fetchers: FetcherKeys) -> None:
        self._signing = signing
        self.fetchers = fetchers

    @property
    def signs(self) -> bool:
        return self._signing is not None

    def write(self, record: KeySetRecord) -> bytes:
        """Encode and sign a record. Raises ForgedError in a process that does not fetch."""
        if self._signing is None:
            raise ForgedError("a process without a fetcher key cannot store key sets")
        head, body = _parts(encode_record(record))
        return head + attach(body, self._signing.sign(key_set_message(record.address.id, body)))

    def read(self, key_set_id: str, value: bytes) -> KeySetRecord:
        """Check and decode a record. Raises ForgedError and KeySetRecordError."""
        head, signed = _parts(value)
        body, signature = detach(signed)
        self.fetchers.verify(key_set_message(key_set_id, body), signature)
        return decode_record(head + body)

    def read_request(self, key_set_id: str, value: bytes) -> KeySetRecord:
        """Check and decode a record for a worker that is about to fetch it.

        In addition to signed records it accepts an unsigned request for a key set that has not been fetched
        yet: a record with only its URL. Such a request cannot allow private networks.
        """
        try:
            return self.read(key_set_id, value)
        except UnsignedError:
            asked = request_in(key_set_id, value)
            if asked is None:
                raise
            return asked


def request_in(key_set_id: str, value: bytes) -> KeySetRecord | None:
    """Return the record by which a fetch of this key set is requested, or None if the value is not one."""
    try:
        record = decode_record(value)
    except KeySetRecordError:
        return None
    asked = KeySetRecord(url=record.url)
    return asked if record == asked and asked.address.id == key_set_id else None


def _parts(value: bytes) -> tuple[bytes, bytes]:
    """Split a value into the numbers in front and its JSON."""
    generation, _, rest = value.partition(b":")
    failures, _, body = rest.partition(b":")
    return b"%s:%s:" % (generation, failures), body
