"""The chart with its examples, rendered once."""

from functools import cache
from typing import Any, Final

import yaml

from tests.testkit.helm import render_chart
from tests.testkit.tools import REPOSITORY

KUBERNETES: Final = REPOSITORY / "deploy" / "kubernetes"
CHART: Final = KUBERNETES / "keyturn"
EXAMPLES: Final = sorted(file.stem for file in (KUBERNETES / "examples").glob("*.yaml"))
REQUIRED: Final = {"publicUrl": "https://id.example.com", "trustedProxies": ["10.42.0.0/16"]}

Manifest = dict[str, Any]


@cache
def rendered(example: str) -> list[Manifest]:
    """Return the manifests of an example; of ``defaults``: with the required values only."""
    if example == "defaults":
        return render_chart(CHART, REQUIRED)
    return render_chart(CHART, yaml.safe_load((KUBERNETES / "examples" / f"{example}.yaml").read_text()))


def render(**values: Any) -> list[Manifest]:
    """Return the manifests with these values and the required ones."""
    return render_chart(CHART, {**REQUIRED, **values})


def of_kind(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    """Return the manifests of a kind, by name without that of the release."""
    found = [each for each in manifests if each["kind"] == kind]
    names = {each["metadata"]["name"].removeprefix("keyturn").removeprefix("-"): each for each in found}
    assert len(names) == len(found)
    return names


def container(deployment: Manifest) -> Manifest:
    (only,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(only)


def environment(deployment: Manifest) -> dict[str, str]:
    """Return the variables of a Deployment's container; a reference to a field as the field's path."""
    entries = container(deployment)["env"]
    found = {
        entry["name"]: entry.get("value") or entry["valueFrom"]["fieldRef"]["fieldPath"] for entry in entries
    }
    assert len(found) == len(entries), "a variable is set twice"
    return found
