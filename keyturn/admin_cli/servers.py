"""HTTP clients for a server: its URL checked, TLS verified, every call limited in time and size."""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn_shared.this_machine import is_this_machine

CALL_SECONDS: Final = 30.0
"""Time limit of a call, besides the time that it asks the server to wait."""
CONNECT_SECONDS: Final = 10.0
MAX_BYTES: Final = 64 * 1024 * 1024
"""Longest response that is read."""
_UNAVAILABLE: Final = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True)
class Received:
    """A response that was read to its end."""

    status: int
    headers: httpx.Headers
    body: bytes

    def json(self, what: str) -> Any:
        """Decode the body. Raises CommandError."""
        try:
            return httpx.Response(200, content=self.body).json()
        except ValueError:
            raise CommandError(f"{what}: the response is not JSON; is this the URL of keyturn?") from None


def check_server(url: str, *, insecure_http: bool) -> httpx.URL:
    """Return the base URL of a server. Raises CommandError."""
    try:
        parsed = httpx.URL(url.rstrip("/"))
    except httpx.InvalidURL as error:
        raise CommandError(f"{url} is not a URL: {error}", ExitCode.USAGE) from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise CommandError("the server's URL begins with https://, or http://", ExitCode.USAGE)
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise CommandError("the server's URL has no user, query or fragment", ExitCode.USAGE)
    if parsed.scheme == "http" and not insecure_http and not is_this_machine(parsed.host):
        raise CommandError(
            f"http:// would send credentials to {parsed.host} in clear text: use https://, or"
            " --insecure-http",
            ExitCode.USAGE,
        )
    return parsed


class Server:
    """Sends requests to one server, and follows no redirect."""

    def __init__(self, http: httpx.Client, *, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._http = http
        self._elapsed = elapsed

    def close(self) -> None:
        self._http.close()

    def send(self, method: str, path: str, *, seconds: float = CALL_SECONDS, **content: Any) -> Received:
        """Make a call. Raises CommandError if the server is not reachable, redirects or takes too long."""
        limit = httpx.Timeout(seconds, connect=CONNECT_SECONDS)
        ends_at = self._elapsed() + seconds + CONNECT_SECONDS
        body = bytearray()
        try:
            request = self._http.build_request(method, path.lstrip("/"), timeout=limit, **content)
            response = self._http.send(request, stream=True, follow_redirects=False)
            try:
                for part in response.iter_bytes():
                    body += part
                    if len(body) > MAX_BYTES:
                        raise CommandError(f"{path}: the response is longer than {MAX_BYTES} bytes")
                    if self._elapsed() > ends_at:
                        raise CommandError(_no_answer(method, seconds), ExitCode.UNREACHABLE)
            finally:
                response.close()
        except httpx.ConnectError as error:
            raise CommandError(
                f"{self._http.base_url} is not reachable: {error}", ExitCode.UNREACHABLE
            ) from error
        except httpx.TimeoutException as error:
            raise CommandError(_no_answer(method, seconds), ExitCode.UNREACHABLE) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise CommandError(
                f"{self._http.base_url}: {type(error).__name__}: {error}", ExitCode.UNREACHABLE
            ) from error
        if response.is_redirect:
            target = response.headers.get("location", "another address")
            raise CommandError(f"the server redirects to {target}, which keyturn does not follow")
        received = Received(response.status_code, response.headers, bytes(body))
        if received.status in _UNAVAILABLE:
            raise CommandError(f"the server is not available: {refusal(received)}", ExitCode.UNREACHABLE)
        return received


def connect(base_url: httpx.URL, ca_file: str | None, headers: Mapping[str, str] | None = None) -> Server:
    """Make a client of a server. ``ca_file``: the only authorities to trust, as PEM. ``headers``: of every
    request. Raises CommandError."""
    if base_url.scheme == "http":
        # It trusts nobody, and takes no time: reading the default authorities takes longer than most calls.
        # A proxy would see what is sent over http.
        nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return Server(httpx.Client(base_url=base_url, verify=nobody, trust_env=False, headers=headers))
    try:
        tls = ssl.create_default_context(cafile=ca_file) if ca_file else True
    except (OSError, ssl.SSLError) as error:
        raise CommandError(f"{ca_file} cannot be used as certificates: {error}", ExitCode.USAGE) from error
    return Server(httpx.Client(base_url=base_url, verify=tls, headers=headers))


def refusal(received: Received) -> str:
    """Return the server's own words about a refused call."""
    try:
        body = received.json("")
        for name in ("detail", "errorMessage", "error_description", "error"):
            if body.get(name):
                return str(body[name])
    except (CommandError, AttributeError):
        pass
    return f"status {received.status}"


def _no_answer(method: str, seconds: float) -> str:
    unknown = "" if method == "GET" else "; the change may have been made"
    return f"no response within {seconds:g} s{unknown}"
