"""Request bodies with a size limit, and strict JSON."""

import asyncio
import sys
from typing import Any

from python_multipart.exceptions import FormParserError
from starlette.datastructures import FormData, Headers
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keyturn_credentials.domain.export_documents import read_documents
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.http.problems import problem
from keyturn_shared.jose import strict_json
from keyturn_shared.jose.errors import MalformedError

_MAX_FORM_FIELDS = 50
_OCTETS = "latin-1"
"""Gives every octet a character, and back."""
_CLOSED = {"Connection": "close"}
"""A body refused for its size need not be read (RFC 9110 section 15.5.14)."""


class BodyLimit:
    """Middleware: refuses a request whose body is longer than ``limit`` bytes, announced or not, or takes
    longer than ``seconds`` to arrive."""

    def __init__(self, app: ASGIApp, limit: int, seconds: float) -> None:
        self._app = app
        self._limit = limit
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        for name, value in scope["headers"]:
            if name == b"content-length" and (not value.isdigit() or int(value) > self._limit):
                await self._refuse()(scope, receive, send)
                return
        received, is_complete = 0, False
        deadline = asyncio.get_running_loop().time() + self._seconds

        async def receive_bounded() -> Message:
            nonlocal received, is_complete
            if is_complete:  # what follows is the caller's disconnect
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                late = f"the request must be sent within {self._seconds:g} seconds"
                raise HTTPException(408, late, {"Connection": "close"}) from None
            received += len(message.get("body", b""))
            is_complete = not message.get("more_body", False)
            if received > self._limit:
                raise HTTPException(413, f"a request body must not exceed {self._limit} bytes", _CLOSED)
            return message

        await self._app(scope, receive_bounded, send)

    def _refuse(self) -> Any:
        return problem(
            413, "content_too_large", f"a request body must not exceed {self._limit} bytes", _CLOSED
        )


async def read_json(request: Request, *, most: int | None = None) -> dict[str, Any]:
    """Parse the JSON object in the body. ``most``: a lower limit in bytes, for callers that are not
    authenticated yet. Raises InvalidRequestError, and HTTPException for a longer body."""
    try:
        body = await request.body() if most is None else await _read(request, most)
    except ClientDisconnect as error:
        raise InvalidRequestError("the body ended early") from error
    try:
        return strict_json.decode_object(body)
    except MalformedError as error:
        raise InvalidRequestError(f"the body is not a JSON object: {error.detail}") from error


async def read_json_list(request: Request) -> list[dict[str, Any]] | None:
    """Parse a body that is an array of objects; None without a body, as some calls of Keycloak's API allow.
    Raises the errors of ``read_json``."""
    try:
        body = await request.body()
    except ClientDisconnect as error:
        raise InvalidRequestError("the body ended early") from error
    if not body:
        return None
    try:
        found = strict_json.decode_object(b'{"array":%s}' % body)
    except MalformedError as error:
        raise InvalidRequestError(f"the body is not a JSON array: {error.detail}") from error
    array = found.get("array")
    if len(found) > 1 or not isinstance(array, list) or not all(isinstance(each, dict) for each in array):
        raise InvalidRequestError("the body must be a JSON array of objects")
    return array


async def read_export(request: Request) -> dict[str, Any]:
    """Parse a body that is an export of one realm. Raises the errors of ``read_json``."""
    try:
        documents = read_documents(await request.body())
    except ClientDisconnect as error:
        raise InvalidRequestError("the body ended early") from error
    except MalformedError as error:
        raise InvalidRequestError(f"the body is not a JSON object: {error.detail}") from error
    if len(documents) > 1:
        raise InvalidRequestError(f"the body has {len(documents)} realms: send them one at a time")
    return documents[0]


async def _read(request: Request, most: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise HTTPException(
                413, f"the body of this request must not exceed {most} bytes", {"Connection": "close"}
            )
    return bytes(body)


async def read_form(request: Request) -> FormData:
    """Parse a multipart body. The fields are for ``octets_of`` and ``text_of``: some clients send a file
    without a name, which makes it a field. Raises InvalidRequestError."""
    content_type = request.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != "multipart/form-data":
        raise HTTPException(415, "multipart/form-data was expected")
    parser = _InMemory(
        Headers({"content-type": f"{content_type}; charset={_OCTETS}"}),
        request.stream(),
        max_files=1,
        max_fields=_MAX_FORM_FIELDS,
        max_part_size=_InMemory.spool_max_size,
    )
    try:
        return await parser.parse()
    except ClientDisconnect as error:
        raise InvalidRequestError("the body ended early") from error
    except (MultiPartException, FormParserError, KeyError, ValueError) as error:
        raise InvalidRequestError("the form cannot be read") from error


def octets_of(field: str) -> bytes:
    """Return the octets of a form's field."""
    return field.encode(_OCTETS)


def text_of(field: str) -> str:
    """Return the text of a form's field: UTF-8, or Latin-1 from clients that send that."""
    try:
        return octets_of(field).decode()
    except UnicodeDecodeError:
        return field


class _InMemory(MultiPartParser):
    """Never writes a file to disk: it may contain a private key. BodyLimit limits the size."""

    spool_max_size = sys.maxsize
