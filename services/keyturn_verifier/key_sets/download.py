"""The port to the network: one guarded GET of a JWKS URL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from keyturn_shared.errors import KeyturnError
from keyturn_shared.key_set_address import KeySetAddress


class DownloadError(KeyturnError):
    """Nothing usable was downloaded. ``reason`` is a stable word for records and metrics."""

    code = "download_failed"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A response with status 200, or 304 with an empty body. ``headers``: names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Download(Protocol):
    """Downloads within the policy's limits. Raises DownloadError for every failure. ``proven``: the last
    attempt at this URL succeeded."""

    async def __call__(
        self, address: KeySetAddress, *, etag: str | None, last_modified: str | None, proven: bool
    ) -> Downloaded: ...
