"""A server whose requests are recorded."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.testkit.http_client import Answer, NoAnswerError, Server


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request. Times are those of ``time.monotonic``. ``answer``: None if there was none; ``told`` says
    why then."""

    began: float
    ended: float
    answer: Answer | None
    told: str = ""


Note = Callable[[Recorded], None]


class RecordingServer(Server):
    """Notes each request when it has ended, also one without an answer."""

    def __init__(self, base_url: str, note: Note, *, connections: int = 32, source: str = "") -> None:
        super().__init__(base_url, connections=connections, source=source)
        self._note = note

    async def ask(
        self,
        method: str,
        target: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        timeout: float = 60.0,
        note: Note | None = None,
    ) -> Answer:
        """Send one request. ``note``: what notes it, by default that of the server. Raises NoAnswerError."""
        began, answer, told = time.monotonic(), None, ""
        try:
            answer = await super().ask(method, target, headers=headers, body=body, timeout=timeout)
        except NoAnswerError as error:
            told = str(error)
            raise
        finally:
            (note or self._note)(Recorded(began, time.monotonic(), answer, told))
        return answer
