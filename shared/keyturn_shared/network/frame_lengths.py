"""Lengths of HTTP/2 frames, checked before the frames are complete."""

from typing import Final

from keyturn_shared.network.refusal import FetchRefused, Reason

_HEADER_BYTES: Final = 9
_MAX_BYTES: Final = 16_384


class FrameLengths:
    """Refuses a frame beyond SETTINGS_MAX_FRAME_SIZE as soon as its length is known (RFC 9113 section 4.2).
    h2 refuses it too, but only once it holds all of it, which may be 16 MiB."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._payload_left = 0

    def feed(self, data: bytes) -> None:
        """Check data that was read. Raises FetchRefused."""
        at = 0
        while at < len(data):
            if self._payload_left:
                step = min(self._payload_left, len(data) - at)
                self._payload_left -= step
                at += step
                continue
            part = data[at : at + _HEADER_BYTES - len(self._header)]
            self._header += part
            at += len(part)
            if len(self._header) == _HEADER_BYTES:
                self._payload_left = int.from_bytes(self._header[:3], "big")
                self._header.clear()
                if self._payload_left > _MAX_BYTES:
                    raise FetchRefused(Reason.PROTOCOL_ERROR, "a frame larger than HTTP/2 allows")
