"""The SBOM is valid by the schema of CycloneDX, complete, and the same each time."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker

from keyturn import __version__
from tests.release import sbom
from tests.release.checkout import REPOSITORY, ReleaseError, source_date
from tests.release.dependencies import CONTAINER, dependency_graph
from tests.release.licences_page import licences
from tests.release.pins import SHIPPED, Pin, read_pins
from tests.testkit.distributions import brought_by

MADE_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def text() -> str:
    return sbom.describe(licences()[0], MADE_AT)


@pytest.fixture(scope="module")
def document(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def test_it_is_valid_by_the_schema(text: str, document: dict[str, Any]) -> None:
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.7")
    assert sbom.wrong_with(text) is None


def test_the_schema_refuses_what_is_not_cyclonedx(document: dict[str, Any]) -> None:
    broken = document | {"components": [document["components"][0] | {"hashes": [{"alg": "SHA-256"}]}]}
    assert sbom.wrong_with(json.dumps(broken)) is not None
    assert sbom.wrong_with(json.dumps(document | {"more": 1})) is not None


def test_it_describes_every_pin_and_nothing_else(document: dict[str, Any]) -> None:
    pins = {pin.name: pin for pin in read_pins(SHIPPED)}
    components = {each["name"]: each for each in document["components"]}
    assert components.keys() == pins.keys()
    for name, component in components.items():
        assert component["version"] == pins[name].version
        assert component["purl"] == pins[name].purl
        assert [each["content"] for each in component["hashes"]] == list(pins[name].sha256)
        assert {each["alg"] for each in component["hashes"]} == {"SHA-256"}
        (licence,) = component["licenses"]
        assert licence["expression"]
    assert brought_by("credentials", "verifier") <= components.keys()


def test_it_is_about_keyturn(document: dict[str, Any]) -> None:
    about = document["metadata"]
    assert (about["component"]["name"], about["component"]["version"]) == ("keyturn", __version__)
    assert about["component"]["licenses"][0]["expression"] == "Apache-2.0"
    assert about["timestamp"] == "2026-01-02T03:04:05+00:00"


def test_the_graph_leads_from_keyturn_to_every_component(document: dict[str, Any]) -> None:
    graph = {each["ref"]: each.get("dependsOn", []) for each in document["dependencies"]}
    start = document["metadata"]["component"]["bom-ref"]
    assert set(_reached(graph, start)) == {each["bom-ref"] for each in document["components"]} | {start}
    names = {reference: re.split("[/@]", reference)[-2] for reference in graph}
    required = {names[each] for each in graph[start]}
    assert {"cryptography", "starlette", "hiredis", "alembic", "hatchling"} <= required
    assert "pydantic-core" not in required  # pydantic requires it, not keyturn


def test_what_the_image_does_not_install_is_optional(document: dict[str, Any]) -> None:
    optional = {each["name"]: each for each in document["components"] if each["scope"] == "optional"}
    assert optional.keys() == {"async-timeout", "colorama"}
    (marker,) = optional["colorama"]["properties"]
    assert marker == {"name": "keyturn:marker", "value": 'sys_platform == "win32"'}


def test_the_markers_are_those_of_the_image() -> None:
    bases = re.findall(r"^FROM (\S+)", (REPOSITORY / "Containerfile").read_text(), re.MULTILINE)
    assert {base.partition("-")[0] for base in bases} == {f"python:{CONTAINER['python_version']}"}


def test_the_same_commit_gives_the_same_octets(text: str, document: dict[str, Any], tmp_path: Path) -> None:
    written = []
    for seed in ("1", "2"):
        environment = os.environ | {
            "PYTHONHASHSEED": seed,
            "SOURCE_DATE_EPOCH": str(int(MADE_AT.timestamp())),
        }
        command = [sys.executable, "-m", "tests.release.sbom", "--into", str(tmp_path / seed)]
        subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, capture_output=True, timeout=60)
        written.append((tmp_path / seed / sbom.NAME).read_text())
    assert written == [text, text]
    another = json.loads(sbom.describe(licences()[0], MADE_AT.replace(year=2027)))
    assert another["serialNumber"] != document["serialNumber"]


def test_a_requirement_that_is_not_pinned_and_a_pin_that_is_not_required_are_refused() -> None:
    pins = read_pins(SHIPPED)
    with pytest.raises(ReleaseError, match="keyturn requires hiredis, which is not pinned"):
        dependency_graph(pin for pin in pins if pin.name != "hiredis")
    elsewhere = Pin("not-required", "1.0", Marker("sys_platform == 'win32'"), ())
    with pytest.raises(ReleaseError, match="not-required is pinned, but nothing requires it"):
        dependency_graph([*pins, elsewhere])


@pytest.mark.parametrize("epoch", ["", "yesterday", "9" * 30])
def test_a_wrong_date_is_refused(epoch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    with pytest.raises(ReleaseError, match="not a number of seconds"):
        source_date()


def _reached(graph: dict[str, list[str]], start: str) -> Iterator[str]:
    waiting, known = [start], set()
    while waiting:
        reference = waiting.pop()
        if reference not in known:
            known.add(reference)
            yield reference
            waiting += graph[reference]
