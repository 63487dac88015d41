"""Verification of the parts of one log."""

from keyturn_shared.projection import projection_value, split_value
from keyturn_shared.signed_log.envelope import detach
from keyturn_shared.signed_log.keys import LogVerificationKeys
from keyturn_shared.signed_log.messages import event_message, projection_message


class LogVerifier:
    """Verifies for the log of this identity. Every method raises ForgedError."""

    def __init__(self, keys: LogVerificationKeys, log: str) -> None:
        self._keys = keys
        self.log = log

    def projection(self, field: str, value: bytes) -> tuple[int, bytes]:
        """Return the sequence of a value in Redis, and the value as it was signed. Also raises
        ProjectionError for one without a sequence."""
        sequence, signed = split_value(value)
        body, signature = detach(signed)
        self._keys.verify(projection_message(self.log, field, sequence, body), signature)
        return sequence, projection_value(sequence, body)

    def event(self, sequence: int, signed: bytes) -> bytes:
        """Return the event of a stream entry as it was signed."""
        payload, signature = detach(signed)
        self._keys.verify(event_message(self.log, sequence, payload), signature)
        return payload
