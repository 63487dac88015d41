"""The part of Vault that logs in and stores a secret of a KV engine, version 2."""

import ssl
from typing import Any, Final

from tests.testkit.http_receiver import Answer, Receiver, Request

MISMATCH: Final = "check-and-set parameter did not match the current version"


class Vault(Receiver):
    """``versions``: fields of each version of ``path``, None for a deleted one. ``can_patch``: False for a
    server before 1.9, None for a policy without it. ``tokens``: those it accepts. ``logins``: by mount, the
    form that gets the first of these. ``namespace``: that it serves."""

    def __init__(self, path: str = "secret/orders", tls: ssl.SSLContext | None = None) -> None:
        super().__init__(self._answer, tls)
        self.versions: list[dict[str, Any] | None] = []
        self.can_patch: bool | None = True
        self.tokens = ["hvs.token-of-vault"]
        self.logins: dict[str, dict[str, str]] = {}
        self.namespace: str | None = None
        mount, _, name = path.partition("/")
        self._data, self._metadata = f"/v1/{mount}/data/{name}", f"/v1/{mount}/metadata/{name}"

    def write(self, fields: dict[str, Any]) -> None:
        """Write a version, as somebody else."""
        self.versions.append(fields)

    @property
    def newest(self) -> dict[str, Any] | None:
        return self.versions[-1]

    def _answer(self, request: Request) -> Answer:
        if request.headers.get("x-vault-request") != "true" or request.url.query:
            return _errors(400, "bad request")
        if request.headers.get("x-vault-namespace") != self.namespace:
            return _errors(403, "permission denied")
        match request.url.path.split("/"):
            case ["", "v1", "auth", mount, "login"] if request.method == "POST":
                if request.json() != self.logins.get(mount):
                    return _errors(400, "invalid role or secret ID")
                return Answer(200, {"auth": {"client_token": self.tokens[0], "lease_duration": 60}})
        if request.headers.get("x-vault-token") not in self.tokens:
            return _errors(403, "permission denied")
        match request.method, request.url.path:
            case "GET", self._metadata if self.versions:
                return Answer(200, {"data": {"current_version": len(self.versions), "cas_required": True}})
            case "GET", self._data if self.versions and self.newest is not None:
                metadata = {"version": len(self.versions)}
                return Answer(200, {"data": {"data": self.newest, "metadata": metadata}})
            case "GET", (self._metadata | self._data):
                return _errors(404)
            case (("POST" | "PATCH"), self._data):
                return self._write(request)
        return _errors(404, "no handler for route")

    def _write(self, request: Request) -> Answer:
        patch = request.method == "PATCH"
        if patch and not self.can_patch:
            return _errors(403, "permission denied") if self.can_patch is None else _errors(405)
        wanted = "application/merge-patch+json" if patch else "application/json"
        body = request.json()
        if request.headers["content-type"] != wanted or body.keys() != {"options", "data"}:
            return _errors(415, "unsupported")
        if patch and (not self.versions or self.newest is None):
            return _errors(404)
        if body["options"] != {"cas": len(self.versions)}:
            return _errors(400, MISMATCH)
        self.versions.append(((self.newest or {}) if patch else {}) | body["data"])
        return Answer(200, {"data": {"version": len(self.versions), "destroyed": False}})


def _errors(status: int, *errors: str) -> Answer:
    return Answer(status, {"errors": list(errors)})
