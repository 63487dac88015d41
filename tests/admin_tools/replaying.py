"""Replay of recorded calls of a tool, with what the tool would take for drift.

A sequence is a JSON array, one call each: ``call`` (method and path), ``body``, ``status`` unless it is the
usual one of the method, and ``names``, those in a list that is read. An id in a path or a body is a
placeholder such as ``{client:orders}``: the replay takes it from earlier answers.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

from tests.testkit.admin_api import AdminApi

SEQUENCES: Final = Path(__file__).with_name("sequences")
_STATUS: Final = {"GET": 200, "PUT": 204, "DELETE": 204, "POST": 201}
_PLACEHOLDER: Final = re.compile(r"\{(\w+:[^{}]+)\}")
_NOTHING: Final[tuple[Any, ...]] = ("", "false", False, None, [], {})
"""Values that tools read like an absent one."""
_DECIDED: Final = frozenset({"containerId", "composite", "client.secret.creation.time"})
"""Members that the server decides."""


class Replay:
    """Everything that was learned from answers, and written so far."""

    def __init__(self, api: AdminApi) -> None:
        self._api = api
        self._ids: dict[str, str] = {}
        self._written: dict[str, dict[str, Any]] = {}
        self._secrets: dict[str, str] = {}

    async def run(self, calls: list[dict[str, Any]]) -> None:
        """Make all calls. Raises AssertionError for another status, and for drift."""
        for call in calls:
            await self._make(call)

    async def _make(self, call: dict[str, Any]) -> None:
        method, path = self._filled(call["call"]).split(" ", 1)
        body = json.loads(self._filled(json.dumps(call.get("body"))))
        answer = await self._api.call(method, path, **({} if body is None else {"json": body}))
        assert answer.status_code == call.get("status", _STATUS[method]), (call["call"], answer.text)
        if method == "POST" and "location" in answer.headers:
            url = answer.headers["location"]
            place = url[url.index("/admin/") :]
            self._learn(place, {"id": place.rpartition("/")[2], **body})
            self._write(place, body)
        elif method == "PUT" and body is not None:
            self._write(path, body)
        elif method == "GET" and answer.status_code == 200:
            self._read(call, path, answer.json())

    def _filled(self, text: str) -> str:
        return _PLACEHOLDER.sub(lambda found: self._ids[found[1]], text)

    def _write(self, path: str, body: dict[str, Any]) -> None:
        self._written[path] = {**self._written.get(path, {}), **body}
        if "/roles-by-id/" in path:  # the same role has another path, by its name
            for place in [each for each in self._written if each.endswith(f"/roles/{body['name']}")]:
                del self._written[place]
        if body.get("secret"):
            self._secrets[f"{path}/client-secret"] = body["secret"]

    def _read(self, call: dict[str, Any], path: str, shown: Any) -> None:
        self._learn(path, shown)
        if "names" in call:
            names = sorted(each.get("clientId") or each["name"] for each in shown)
            assert names == call["names"], call["call"]
        if path in self._secrets:
            assert shown["value"] == self._secrets[path], call["call"]
        for place, each in _places(path, shown):
            if place in self._written:
                assert (drift := differences(self._written[place], each)) == {}, (call["call"], drift)

    def _learn(self, path: str, shown: Any) -> None:
        for each in shown if isinstance(shown, list) else [shown]:
            if isinstance(each, dict) and "id" in each:
                self._ids[name_of(path, each)] = each["id"]


def _places(path: str, shown: Any) -> list[tuple[str, Any]]:
    """Return what is shown, with the path at which it is written."""
    if not isinstance(shown, list):
        return [(path, shown)]
    collection = path.partition("?")[0]
    return [(f"{collection}/{each['id']}", each) for each in shown if "id" in each]


def name_of(path: str, shown: dict[str, Any]) -> str:
    """Return the placeholder of what a path shows."""
    for kind, member in (("client", "clientId"), ("user", "username"), ("realm", "realm")):
        if member in shown:
            return f"{kind}:{shown[member]}"
    if "protocolMapper" in shown:
        return f"mapper:{shown['name']}"
    is_scope = "client-scopes" in path and "/roles" not in path
    return f"{'scope' if is_scope else 'role'}:{shown.get('name')}"


def differences(written: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    """Return what a tool would write again: members that are not shown as they were written."""
    found: dict[str, Any] = {}
    for name, value in written.items():
        if name in _DECIDED or value is None:  # a null says nothing
            continue
        there = shown.get(name)
        if isinstance(value, dict) and isinstance(there, dict):
            if inner := differences(value, there):
                found[name] = inner
        elif not _same(value, there):
            found[name] = (value, there)
    return found


def _same(value: Any, there: Any) -> bool:
    if isinstance(value, list) and isinstance(there, list):
        return sorted(map(json.dumps, value)) == sorted(map(json.dumps, there))
    return value == there or (value in _NOTHING and there in _NOTHING)


def sequence(name: str) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = json.loads((SEQUENCES / f"{name}.json").read_text())
    return calls
