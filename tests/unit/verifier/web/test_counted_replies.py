"""Every reply of an endpoint counts once, with its status and the time it took."""

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from keyturn_shared.errors import KeyturnError
from keyturn_shared.oauth.metrics import AnswerMetrics
from keyturn_shared.oauth.web.messages import Reply, Request
from keyturn_shared.web.request_metrics import EndpointMetrics
from keyturn_verifier.web.application import AnswerAtOnce, Route, VerifierApplication


async def _endpoint(_: Request) -> Reply:
    return Reply(401)


async def _broken(_: Request) -> Reply:
    raise RuntimeError("broken")


def _must_wait(_: Request) -> Reply | None:
    raise KeyturnError("the endpoint must answer")


async def _ask(
    *, at_once: AnswerAtOnce | None = None, method: str = "POST", broken: bool = False
) -> EndpointMetrics:
    """Send a request as a connection does; return the counts."""
    counted, times = EndpointMetrics(), iter(range(10))
    application = VerifierApplication(
        {}, Starlette(), AnswerMetrics(CollectorRegistry()), elapsed=lambda: float(next(times))
    )
    endpoint = _broken if broken else _endpoint
    route = Route(endpoint, ("POST",), 0, at_once=at_once, counted=counted)
    request = Request(method, "/", "acme", b"", [], b"", "")
    if application.reply_at_once(route, request) is None:
        await application.reply(route, request)
    assert counted.seconds == 1.0
    return counted


async def test_a_reply_at_once_counts() -> None:
    assert (await _ask(at_once=lambda _: Reply(200))).replies() == {200: 1}


async def test_a_reply_of_the_endpoint_counts() -> None:
    assert (await _ask()).replies() == {401: 1}


async def test_a_request_that_cannot_be_answered_at_once_counts_once() -> None:
    assert (await _ask(at_once=lambda _: None)).replies() == {401: 1}
    assert (await _ask(at_once=_must_wait)).replies() == {401: 1}


async def test_a_wrong_method_counts() -> None:
    assert (await _ask(method="PUT")).replies() == {405: 1}


async def test_a_bug_counts_as_a_500() -> None:
    def broken(_: Request) -> Reply | None:
        raise RuntimeError("broken")

    assert (await _ask(broken=True)).replies() == {500: 1}
    assert (await _ask(at_once=broken)).replies() == {500: 1}
