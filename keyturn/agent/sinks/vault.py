"""A secret of HashiCorp Vault's KV engine, version 2; OpenBao has the same API."""

import logging
from typing import Any, Final
from urllib.parse import quote

import httpx
import msgspec

from keyturn.agent.sinks.content import Client
from keyturn.agent.sinks.delivery import Delivery, Notes, SinkError
from keyturn.agent.sinks.http import client as http_client
from keyturn.agent.sinks.http import refusal
from keyturn.agent.sinks.settings import VaultSettings
from keyturn.agent.sinks.vault_login import VaultLogin

MERGE: Final = "application/merge-patch+json"
_OTHER_WRITER: Final = "somebody else has written a version at the same moment"

_log = logging.getLogger(__name__)


class VaultSink:
    """Writes the fields of ``data`` as a new version and keeps the other fields. A write names the version
    that it follows (``cas``), so that one by somebody else in between is seen and read first."""

    patience: float | None = None

    def __init__(self, settings: VaultSettings, client: Client) -> None:
        self.label = settings.label
        self.settings = msgspec.json.encode((settings, client))
        self._settings = settings
        self._client = client
        self._login = VaultLogin(settings)
        self._data = quote(f"/v1/{settings.mount}/data/{settings.path}")
        self._metadata = quote(f"/v1/{settings.mount}/metadata/{settings.path}")

    async def deliver(self, delivery: Delivery) -> Notes:
        """Write a version. Raises SinkError and errors of httpx."""
        fields = self._client.fill(self._settings.data, delivery.secret)
        address = self._settings.address.rstrip("/")
        async with http_client(address, self._settings.ca_file) as http:
            http.base_url = httpx.URL(address)
            http.headers["X-Vault-Request"] = "true"
            if self._settings.namespace is not None:
                http.headers["X-Vault-Namespace"] = self._settings.namespace
            http.headers["X-Vault-Token"] = await self._login.token(http)
            version = await self._version(http)
            known = delivery.notes.get("version", version)
            if known != version:
                told = "%s: version %d is not the agent's, which was %d; fields that are not in data are kept"
                _log.warning(told, self.label, version, known)
            return {"version": await self._write(http, fields, version)}

    async def _version(self, http: httpx.AsyncClient) -> int:
        """Return the newest version of the secret, 0 if there is none."""
        answer = await http.get(self._metadata)
        if answer.status_code == 404:
            return 0
        return _version_in(self._accepted(answer, "the metadata"), "current_version")

    async def _write(self, http: httpx.AsyncClient, fields: dict[str, str], version: int) -> int:
        """Write the version after this one; return its number."""
        if version > 0:
            body = {"options": {"cas": version}, "data": fields}
            patched = await http.patch(self._data, json=body, headers={"Content-Type": MERGE})
            # 405: a server before Vault 1.9. 403: a policy without it. 404: the newest version is deleted.
            if patched.status_code not in (403, 404, 405):
                return _version_in(self._accepted(patched, "the patch"), "version")
            fields = await self._others(http) | fields
        written = await http.post(self._data, json={"options": {"cas": version}, "data": fields})
        return _version_in(self._accepted(written, "the write"), "version")

    async def _others(self, http: httpx.AsyncClient) -> dict[str, Any]:
        """Return all fields of the newest version; none if it is deleted."""
        answer = await http.get(self._data)
        if answer.status_code == 404:
            return {}
        fields = self._accepted(answer, "the secret").get("data")
        if not isinstance(fields, dict):
            raise SinkError("the response has no fields of the secret")
        return fields

    def _accepted(self, answer: httpx.Response, what: str) -> dict[str, Any]:
        """Return ``data`` of a response. Raises SinkError if it is not a success."""
        if answer.status_code == 403:
            self._login.forget()
        if answer.status_code == 400 and "check-and-set" in answer.text:
            raise SinkError(_OTHER_WRITER)
        if answer.status_code == 204:
            raise SinkError(f"{what} answers 204: {self._settings.mount} is no KV engine of version 2")
        if answer.status_code != 200:
            raise refusal(answer, what)
        try:
            data = answer.json()["data"]
        except (ValueError, KeyError, TypeError, RecursionError):
            data = None
        if not isinstance(data, dict):
            raise SinkError(f"{what} answers with something that is not Vault's")
        return data


def _version_in(data: dict[str, Any], member: str) -> int:
    version = data.get(member)
    if not isinstance(version, int):
        raise SinkError(f"the response has no {member}")
    return version
