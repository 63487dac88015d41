"""The published event contract is current."""

import json
from pathlib import Path

import jsonschema
import pytest

from keyturn_shared.asyncapi import document

GOLDEN = Path(__file__).parent / "golden"
PUBLISHED = Path(__file__).parents[3] / "docs" / "asyncapi.json"


def test_the_published_document_is_made_from_the_types_of_today() -> None:
    assert json.loads(PUBLISHED.read_text()) == json.loads(json.dumps(document()))


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_a_golden_example_satisfies_the_published_schema(path: Path) -> None:
    published = json.loads(PUBLISHED.read_text())
    reference = published["components"]["messages"][path.stem]["payload"]["$ref"]
    schema = {"$ref": reference, "components": published["components"]}
    jsonschema.validate(json.loads(path.read_text()), schema)


def test_the_schema_refuses_an_event_without_its_sequence() -> None:
    published = json.loads(PUBLISHED.read_text())
    schema = {"$ref": "#/components/schemas/ClientDeleted", "components": published["components"]}
    event = json.loads((GOLDEN / "client_deleted.json").read_text())
    del event["sequence"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(event, schema)
