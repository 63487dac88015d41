"""Requests under admission control."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keyturn_credentials.http.problems import problem
from keyturn_shared.runtime.admission import Admission, Lane, OverloadedError

RETRY_SECONDS: Final = 2
_NO_WORK: Final = ("health", "metrics")
_ROTATION: Final = 3
"""Index of the segment that tells a client's own requests: ``/realms/{realm}/rotation…``."""


class Admitted:
    """Middleware: a request at work has a place. It has none while its body arrives, nor once its response
    begins, so that neither a slow sender nor a slow reader keeps others out."""

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self._app = app
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"] if scope["type"] == "http" else ""
        segments = path.split("/", _ROTATION + 1)
        if len(segments) < 2 or segments[1] in _NO_WORK:
            await self._app(scope, receive, send)
            return
        try:
            place = await self._admission.admit(_lane(segments))
        except OverloadedError as error:
            await _refusal(error, segments[1])(scope, receive, send)
            return

        async def receive_without_place() -> Message:
            place.leave()
            message = await receive()
            if message["type"] == "http.request":
                await place.resume()
            return message

        async def send_without_place(message: Message) -> None:
            place.leave()
            await send(message)

        try:
            await self._app(scope, receive_without_place, send_without_place)
        finally:
            place.leave()


def _lane(segments: list[str]) -> Lane:
    is_own = len(segments) > _ROTATION and segments[1] == "realms" and segments[_ROTATION] == "rotation"
    return Lane.CLIENTS if is_own else Lane.ADMINISTRATORS


def _refusal(error: OverloadedError, part: str) -> ASGIApp:
    word = "temporarily_unavailable" if part == "realms" else error.code
    return problem(503, error.code, error.detail, {"Retry-After": str(RETRY_SECONDS)}, error=word)
