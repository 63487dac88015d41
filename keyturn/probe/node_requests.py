"""Requests to a node at one address, and what their responses mean."""

import json
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import httpx

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.sign_in import basic
from keyturn.probe.judgement import Answer, Place
from keyturn.probe.targets import Node
from keyturn_shared.secret import Secret

REQUEST_SECONDS: Final = 5.0
"""Time limit of a request to a node."""
MAX_BYTES: Final = 64 * 1024
"""Longest response of a node that is read."""
_CONNECT_SECONDS: Final = 3.0
_ERROR_CODE: Final = re.compile(r"[a-z]+(_[a-z]+){0,5}", re.ASCII)
_REFUSALS: Final = frozenset({400, 401, 403, 404})


@dataclass(frozen=True, slots=True)
class Told:
    """A response. ``token``: the access token in it, if it has one."""

    answer: Answer
    detail: str = ""
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Presented:
    """Credentials to present: the canary's secret, and at places for tokens a token as well."""

    client_id: str
    secret: Secret
    token: str | None = field(default=None, repr=False)


class NodeRequests:
    """Sends requests of one realm to nodes, each over a new connection, and follows no redirect. May be used
    by several threads. ``ca_file``: the only authorities to trust, as PEM. ``headers``: of every request.
    Raises CommandError if the authorities cannot be used."""

    def __init__(
        self,
        realm: str,
        ca_file: str | None,
        headers: Mapping[str, str] | None = None,
        *,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = f"/realms/{quote(realm, safe='')}"
        self._elapsed = elapsed
        try:
            tls = ssl.create_default_context(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise CommandError(
                f"{ca_file} cannot be used as certificates: {error}", ExitCode.USAGE
            ) from error
        # A proxy would choose the address by itself.
        self._http = httpx.Client(
            verify=tls,
            trust_env=False,
            follow_redirects=False,
            headers=headers,
            timeout=httpx.Timeout(REQUEST_SECONDS, connect=_CONNECT_SECONDS),
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def close(self) -> None:
        self._http.close()

    def ask(self, node: Node, place: Place, presented: Presented) -> Told:
        """Present a credential. It never raises: no answer is an answer too."""
        try:
            status, body = self._send(node, *_request(place, presented))
        except httpx.TimeoutException:
            return Told(Answer.UNREACHED, f"no response within {REQUEST_SECONDS:g} s")
        except httpx.ConnectError as error:
            return Told(Answer.UNREACHED, f"no connection: {error}")
        except httpx.HTTPError as error:  # its text may quote the response, and that the request
            return Told(Answer.UNREACHED, f"no response: {type(error).__name__}")
        except _TooLongError:
            return Told(Answer.UNDECIDED, f"the response is longer than {MAX_BYTES} bytes")
        return read(place, status, body)

    def _send(self, node: Node, method: str, path: str, content: dict[str, Any]) -> tuple[int, bytes]:
        url = node.url
        raw_path = url.raw_path.rstrip(b"/") + f"{self._path}{path}".encode()
        content.setdefault("headers", {})["Host"] = url.netloc.decode()
        names = {} if url.host == node.address else {"sni_hostname": url.host}
        request = self._http.build_request(
            method, url.copy_with(host=node.address, raw_path=raw_path), extensions=names, **content
        )
        ends_at = self._elapsed() + REQUEST_SECONDS  # httpx limits the time of each part
        body = bytearray()
        response = self._http.send(request, stream=True)
        try:
            for part in response.iter_bytes():
                body += part
                if len(body) > MAX_BYTES:
                    raise _TooLongError
                if self._elapsed() > ends_at:
                    raise httpx.ReadTimeout("the response takes too long")
        finally:
            response.close()
        return response.status_code, bytes(body)


class _TooLongError(Exception):
    """A response is longer than MAX_BYTES."""


def read(place: Place, status: int, body: bytes) -> Told:
    """Read a response of a place. Whatever neither accepts nor refuses is undecided."""
    if status in _REFUSALS:
        return Told(Answer.REFUSED, f"{status} {_error_of(body)}".rstrip())
    if place is Place.FORWARD_AUTH and status == 204:
        return Told(Answer.ACCEPTED)
    if status != 200 or place is Place.FORWARD_AUTH:
        return Told(Answer.UNDECIDED, f"{place} answers {status} {_error_of(body)}".rstrip())
    found = _object(body)
    if place is Place.TOKEN:
        token = found.get("access_token")
        if isinstance(token, str) and token and token.isascii():
            return Told(Answer.ACCEPTED, token=token)
    else:
        results = found.get("results") if place is Place.VERIFY else [found]
        active = _only_object(results).get("active")
        if isinstance(active, bool):
            return Told(Answer.ACCEPTED) if active else Told(Answer.REFUSED, "the token is not active")
    return Told(Answer.UNDECIDED, f"{place} answers 200 with something else than expected")


def _request(place: Place, presented: Presented) -> tuple[str, str, dict[str, Any]]:
    """Return method, path below the realm's, and content as for httpx."""
    by_secret = {"Authorization": basic(presented.client_id, presented.secret)}
    match place:
        case Place.TOKEN:
            form = {"grant_type": "client_credentials"}
            return "POST", "/protocol/openid-connect/token", {"data": form, "headers": by_secret}
        case Place.INTROSPECTION:
            form = {"token": presented.token or ""}
            return (
                "POST",
                "/protocol/openid-connect/token/introspect",
                {"data": form, "headers": by_secret},
            )
        case Place.VERIFY:
            return "POST", "/verify", {"json": {"tokens": [presented.token or ""]}, "headers": by_secret}
        case Place.FORWARD_AUTH:
            return "GET", "/forward-auth", {"headers": {"Authorization": f"Bearer {presented.token or ''}"}}


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _only_object(results: object) -> dict[str, Any]:
    if isinstance(results, list) and len(results) == 1 and isinstance(results[0], dict):
        return results[0]
    return {}


def _error_of(body: bytes) -> str:
    """Return the OAuth error code (RFC 6749 section 5.2) of a refusal, empty without one. Only a code that
    cannot quote the request is shown."""
    error = _object(body).get("error")
    return error if isinstance(error, str) and _ERROR_CODE.fullmatch(error) else ""
