"""Kubernetes' own schemas of the manifests that keyturn writes or ships."""

import base64
import json
from pathlib import Path
from typing import Any, Final

import jsonschema


def _definitions() -> dict[str, Any]:
    directory = Path(__file__).parent
    files = (directory / name for name in ("kinds.json", "custom-kinds.json"))
    return {name: schema for file in files for name, schema in json.loads(file.read_text())["$defs"].items()}


_DEFINITIONS: Final = _definitions()


def _kinds() -> dict[tuple[str, str], str]:
    """Return the name of the definition of each kind, by ``apiVersion`` and ``kind``."""
    found = {}
    for name, schema in _DEFINITIONS.items():
        members = schema.get("properties", {})
        if {"enum"} <= members.get("apiVersion", {}).keys() and "enum" in members.get("kind", {}):
            (version,), (kind,) = members["apiVersion"]["enum"], members["kind"]["enum"]
            found[version, kind] = name
    return found


KINDS: Final = _kinds()


def check_manifest(manifest: object) -> None:
    """Check a manifest of any of these kinds. Raises jsonschema.ValidationError."""
    if not isinstance(manifest, dict):
        raise jsonschema.ValidationError("a manifest is an object")
    name = KINDS.get((manifest.get("apiVersion", ""), manifest.get("kind", "")))
    if name is None:
        raise jsonschema.ValidationError(f"no schema of {manifest.get('apiVersion')} {manifest.get('kind')}")
    schema = {"$ref": f"#/$defs/{name.replace('/', '~1')}", "$defs": _DEFINITIONS}
    jsonschema.Draft202012Validator(schema).validate(manifest)


def secret_in(manifest: object) -> dict[str, str]:
    """Return the data of a Secret's manifest, decoded. Raises jsonschema.ValidationError, and binascii.Error
    for data that is not base64."""
    check_manifest(manifest)
    assert isinstance(manifest, dict)
    assert manifest["kind"] == "Secret"
    data: dict[str, Any] = manifest["data"]
    return {key: base64.b64decode(value, validate=True).decode() for key, value in data.items()}
