"""The published description of the admin API is current."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from keyturn_credentials.app import build_app
from keyturn_credentials.domain.roles import Role
from keyturn_credentials.web.gate import Gate
from keyturn_credentials.web.openapi.document import OPERATIONS
from keyturn_credentials.web.openapi.routes import openapi_of
from tests.testkit.admin_api import settings_for

PUBLISHED = Path(__file__).parents[4] / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def gate() -> Gate:
    gate: Gate = build_app(settings_for("sqlite+aiosqlite:///nowhere.db", "redis://127.0.0.1:1")).state.gate
    return gate


def test_every_route_is_described_and_nothing_else_is(gate: Gate) -> None:
    missing = gate.endpoints.keys() - OPERATIONS.keys()
    assert not missing, f"describe these in web/openapi: {sorted(missing)}"
    assert not OPERATIONS.keys() - gate.endpoints.keys()


def test_the_published_document_is_made_from_the_routes_of_today(gate: Gate) -> None:
    assert json.loads(PUBLISHED.read_text()) == json.loads(json.dumps(openapi_of(gate))), (
        "python -m keyturn_credentials.api_description > docs/openapi.json"
    )


def test_every_route_asks_for_a_role(gate: Gate) -> None:
    assert all(set(endpoint.any_of) <= set(Role) and endpoint.any_of for endpoint in gate.endpoints.values())


def test_every_name_is_there_once_and_every_schema_is_one(gate: Gate) -> None:
    made = openapi_of(gate)
    operations = [operation for path in made["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names)) == len(gate.endpoints)
    for schema in made["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for name in references(made):
        group, _, key = name.removeprefix("#/components/").partition("/")
        assert key in made["components"][group], name


def references(part: Any) -> list[str]:
    """Return every ``$ref`` in a document."""
    if isinstance(part, dict):
        own = [part["$ref"]] if "$ref" in part else []
        return own + [name for value in part.values() for name in references(value)]
    if isinstance(part, list):
        return [name for value in part for name in references(value)]
    return []
