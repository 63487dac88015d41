"""The part of Kubernetes' API server that stores a Secret by server-side apply."""

import binascii
import ssl
from pathlib import Path
from urllib.parse import parse_qs

import jsonschema

from tests.testkit.http_receiver import Answer, Receiver, Request
from tests.testkit.kubernetes import secret_in


class Cluster(Receiver):
    """Stores Secrets in ``secrets``, decoded, by namespace and name. ``token``: the only one it accepts."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(self._answer, tls)
        self.token = "token of the service account"
        self.secrets: dict[str, dict[str, str]] = {}
        self.types: dict[str, str] = {}

    def _answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return _status(401, "Unauthorized")
        match request.url.path.split("/"):
            case ["", "api", "v1", "namespaces", namespace, "secrets", name]:
                pass
            case _:
                return _status(404, "NotFound")
        if request.method != "PATCH":
            return _status(405, "MethodNotAllowed")
        if request.headers.get("content-type") != "application/apply-patch+yaml":
            return _status(415, "UnsupportedMediaType")
        if parse_qs(request.url.query, strict_parsing=True) != {
            "fieldManager": ["keyturn-agent"],
            "force": ["true"],
        }:
            return _status(400, "BadRequest")
        return self._apply(f"{namespace}/{name}", request)

    def _apply(self, place: str, request: Request) -> Answer:
        try:
            manifest = request.json()
            data = secret_in(manifest)
            named = (manifest["apiVersion"], manifest["kind"], _place_of(manifest))
        except (ValueError, KeyError, jsonschema.ValidationError, binascii.Error):
            return _status(422, "Invalid")
        if named != ("v1", "Secret", place):
            return _status(400, "BadRequest")
        created = place not in self.secrets
        if self.types.setdefault(place, manifest["type"]) != manifest["type"]:
            return _status(422, "Invalid")
        self.secrets[place] = data
        return Answer(201 if created else 200, manifest | {"metadata": {"resourceVersion": "1"}})


def _place_of(manifest: dict[str, dict[str, str]]) -> str:
    metadata = manifest["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}"


def _status(code: int, reason: str) -> Answer:
    return Answer(code, {"kind": "Status", "status": "Failure", "reason": reason, "code": code})


def service_account(directory: Path, cluster: Cluster) -> Path:
    """Write the file with the token of a service account."""
    path = directory / "token"
    path.write_text(cluster.token + "\n")
    return path
