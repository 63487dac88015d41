"""Scenarios as data: requests that are sent to both servers, in the same order.

A text may name variables in braces: ``{base}``, ``{issuer}``, those of the run (``{client}`` is new for each
scenario) and those that an earlier request of the scenario kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

_VARIABLE: Final = re.compile(r"\{([a-z_]+)\}")


class Variables(Protocol):
    """The variables of one scenario on one server. Raises KeyError for an unknown one."""

    def __getitem__(self, name: str) -> str: ...


Lazy = Callable[[Variables], str]
"""A value that is made when it is sent, such as an assertion."""

Text = str | Lazy


@dataclass(frozen=True)
class Request:
    """One request. ``caller``: the name of an access token of the run, sent as Bearer. ``keep``: variables to
    take from the answer: ``location`` for the end of Location, else a member of the body."""

    method: str
    path: Text
    caller: str | None = None
    json: Any = None
    form: Sequence[tuple[str, Text]] | None = None
    body: bytes | None = None
    files: Mapping[str, tuple[str, Text | bytes]] | None = None
    basic: tuple[str, str] | None = None
    headers: Mapping[str, Text] = field(default_factory=dict)
    keep: Mapping[str, str] = field(default_factory=dict)

    def keeping(self, **keep: str) -> Request:
        """Return the same request, with variables to take from its answer."""
        return replace(self, keep={**self.keep, **keep})


@dataclass(frozen=True)
class Scenario:
    """Requests whose answers are compared. Those of ``given`` must succeed and are not compared."""

    name: str
    requests: tuple[Request, ...]
    given: tuple[Request, ...] = ()


def fill(value: Any, variables: Variables) -> Any:
    """Return it with the variables of all its texts replaced."""
    if callable(value):
        return value(variables)
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: variables[found[1]], value)
    if isinstance(value, Mapping):
        return {fill(name, variables): fill(each, variables) for name, each in value.items()}
    if isinstance(value, list):
        return [fill(each, variables) for each in value]
    return value


def admin(method: str, path: Text, json: Any = None, *, caller: str | None = "admin", **more: Any) -> Request:
    """Return a call of the admin API, by the first administrator unless another caller is named."""
    return Request(method, path, caller, json, **more)


def realm(method: str, path: str, json: Any = None, *, caller: str | None = "admin", **more: Any) -> Request:
    """Return a call below ``/admin/realms/acme``."""
    return Request(method, f"/admin/realms/acme{path}", caller, json, **more)


def form(path: str, fields: Mapping[str, Text], **more: Any) -> Request:
    """Return a POST of a form to the protocol endpoints of realm acme."""
    return Request("POST", f"/realms/acme/protocol/openid-connect/{path}", form=tuple(fields.items()), **more)


def token(**fields: Text) -> Request:
    """Return a request for a token with exactly these fields of the form."""
    return form("token", fields)


def client(client_id: str = "{client}", *, keep: str = "id", **members: Any) -> Request:
    """Return the creation of a confidential client with a service account and a known secret."""
    known = {"clientId": client_id, "secret": SECRET, "serviceAccountsEnabled": True, **members}
    return realm("POST", "/clients", known).keeping(**{keep: "location"})


SECRET: Final = "a-secret-of-forty-eight-bytes-long-enough-for-HS"
OTHER_SECRET: Final = "another-secret-of-forty-eight-bytes-long-enough-"


def one(name: str, *requests: Request, given: Sequence[Request] = ()) -> Scenario:
    """Return a scenario."""
    return Scenario(name, requests, tuple(given))
