"""Kubernetes' own schema of a Secret."""

import base64
import json
from pathlib import Path
from typing import Any, Final

import jsonschema

SCHEMA: Final = json.loads((Path(__file__).parent / "secret-v1.json").read_text())


def secret_in(manifest: object) -> dict[str, str]:
    """Return the data of a manifest, decoded. Raises jsonschema.ValidationError, and binascii.Error for data
    that is not base64."""
    jsonschema.Draft202012Validator(SCHEMA).validate(manifest)
    assert isinstance(manifest, dict)
    data: dict[str, Any] = manifest["data"]
    return {key: base64.b64decode(value, validate=True).decode() for key, value in data.items()}
