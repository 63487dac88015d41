"""Parses a form strictly (RFC 6749 section 3.2 and appendix B). Pure."""

from typing import Final
from urllib.parse import quote, unquote_to_bytes

from keyturn_shared.oauth.errors import InvalidRequestError

_TYPE: Final = "application/x-www-form-urlencoded"
_MAX_PARAMETERS: Final = 64
_REPEATABLE: Final = frozenset({"resource", "audience"})  # RFC 8707 section 2; RFC 8693 section 2.1

# Common values as they are sent: looked up instead of decoded.
_USUAL: Final = {
    quote(text, safe="").encode(): text
    for text in (
        "grant_type",
        "client_credentials",
        "client_id",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "scope",
        "token",
    )
}


class Form(dict[str, str]):
    """Parameters by name, each at most once. ``targets``: all values of ``resource`` and ``audience``."""

    __slots__ = ("targets",)

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []


def require_form_type(content_type: str | None) -> None:
    """Raise InvalidRequestError unless the content type is a form's."""
    if content_type is None or content_type.partition(";")[0].strip().lower() != _TYPE:
        raise InvalidRequestError(f"the request must be {_TYPE}")


def read_form(body: bytes) -> Form:
    """Parse the parameters. One without a value is treated as omitted. Raises InvalidRequestError for a
    repeated parameter, and for anything that is not a form in UTF-8."""
    form = Form()
    if not body:
        return form
    fields = body.split(b"&")
    if len(fields) > _MAX_PARAMETERS:
        raise InvalidRequestError(f"more than {_MAX_PARAMETERS} parameters")
    for field in fields:
        encoded_name, _, encoded_value = field.partition(b"=")
        name, value = _decoded(encoded_name), _decoded(encoded_value)
        if not value:
            continue
        if name in _REPEATABLE:
            form.targets.append(value)
        elif name in form:
            raise InvalidRequestError("a parameter occurs more than once")
        else:
            form[name] = value
    return form


def _decoded(text: bytes) -> str:
    usual = _USUAL.get(text)
    if usual is not None:
        return usual
    if b"%" in text or b"+" in text:
        text = unquote_to_bytes(text.replace(b"+", b" "))
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise InvalidRequestError("the form is not UTF-8") from None
