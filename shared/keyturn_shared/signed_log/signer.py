"""Signing of the parts of one log."""

from keyturn_shared.fleet.partitions import ONE_PARTITION, Partitioning
from keyturn_shared.signed_log.envelope import attach, detach, signature_of
from keyturn_shared.signed_log.errors import UnsignedError
from keyturn_shared.signed_log.head import HeadStatement
from keyturn_shared.signed_log.keys import LogSigningKeys
from keyturn_shared.signed_log.messages import event_message, projection_message


class LogSigner:
    """Signs for the log of this identity. Signatures of the first key are kept. Everything else, unsigned or
    signed by a former key, is signed anew: the caller vouches for it."""

    def __init__(self, keys: LogSigningKeys, log: str) -> None:
        self.keys = keys
        self.log = log

    def projection(self, field: str, sequence: int, body: bytes) -> bytes:
        """Return a projection's JSON with its signature."""
        if self.is_current(body):
            return body
        bare = without_signature(body)
        return attach(bare, self.keys.sign(projection_message(self.log, field, sequence, bare)))

    def event(self, sequence: int, payload: bytes) -> bytes:
        """Return an event's JSON with its signature."""
        if self.is_current(payload):
            return payload
        bare = without_signature(payload)
        return attach(bare, self.keys.sign(event_message(self.log, sequence, bare)))

    def head(
        self,
        epoch: int,
        *,
        sequence: int,
        at: int,
        recent: str,
        partitioning: Partitioning = ONE_PARTITION,
    ) -> bytes:
        """Return the signed statement about the head."""
        return HeadStatement(self.log, epoch, sequence, at, recent, partitioning).signed(self.keys)

    def is_current(self, signed: bytes) -> bool:
        """Return whether the signature names the first key."""
        signature = signature_of(signed)
        return signature is not None and self.keys.is_current(signature)


def without_signature(body: bytes) -> bytes:
    """Return the object without its signature, if it has one."""
    try:
        return detach(body)[0]
    except UnsignedError:
        return body
