"""Calls of administrators as spans."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keyturn_shared.errors import KeyturnError
from keyturn_shared.tracing.ports import Attributes, Kind, Span, Tracer

_CALL: Final = "keyturn.traced_call"
_SERVER_ERROR: Final = 500


class TracedCall:
    """A call that becomes a span once it is known that an administrator makes it, and that this one may.

    Nobody else's ``traceparent`` is continued: it would let anyone add to any trace, and have everything
    sampled. ``tracestate`` and ``baggage`` are ignored: nothing here needs them, and they end up in the log.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._begun = tracer.now()
        self._span: Span | None = None

    @contextmanager
    def inside(self, request: Request, route: str) -> Iterator[None]:
        """Make the span, and make it the current one. ``route``: the path with names for its parts."""
        given = request.headers.getlist("traceparent")
        span = self._span = self._tracer.begin(
            f"{request.method} {route}",
            Kind.SERVER,
            _described(request, route),
            begun=self._begun,
            parent=given[0] if len(given) == 1 else None,
        )
        with self._tracer.inside(span):
            try:
                yield
            except KeyturnError as error:
                span.note({"error.type": error.code})
                raise

    def end(self, status: int | None) -> None:
        """End it with the status of its response, None if there was none."""
        span, self._span = self._span, None
        if span is None:
            return
        if status is None:
            span.fail("no_response")
        else:
            span.note({"http.response.status_code": status})
            if status >= _SERVER_ERROR:
                span.fail(str(status))
        span.end()


def traced_call(request: Request) -> TracedCall | None:
    """Return the traced call that this request is, None in a service without traces."""
    call: TracedCall | None = request.scope.get(_CALL)
    return call


class Traced:
    """Middleware: traces a call from its arrival until its response begins."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = scope[_CALL] = TracedCall(self._tracer)

        async def send_traced(message: Message) -> None:
            if message["type"] == "http.response.start":
                call.end(message["status"])
            await send(message)

        status = None
        try:
            await self._app(scope, receive, send_traced)
        except Exception:  # whatever it is: the handler of unexpected errors answers with 500
            status = _SERVER_ERROR
            raise
        finally:
            call.end(status)


def _described(request: Request, route: str) -> Attributes:
    """Describe a call by its route: paths and queries are a caller's, and may hold anything."""
    attributes = {
        "http.request.method": request.method,
        "http.route": route,
        "url.scheme": request.url.scheme,
    }
    realm = request.path_params.get("realm")
    return attributes | ({} if realm is None else {"keyturn.realm": str(realm)[:255]})
