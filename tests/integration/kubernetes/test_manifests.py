"""The chart makes manifests that Kubernetes accepts, and refuses values that it does not know."""

import copy
from typing import Any

import jsonschema
import pytest

from tests.integration.kubernetes.chart import EXAMPLES, Manifest, render, rendered
from tests.testkit.helm import ChartError
from tests.testkit.kubernetes import check_manifest

pytestmark = pytest.mark.timeout(900)  # the first test of all builds Helm
ALL = ["defaults", *EXAMPLES]


def test_there_are_examples() -> None:
    assert {"ingress", "sentinel", "gateway-api"} <= set(EXAMPLES)


@pytest.mark.parametrize("example", ALL)
def test_kubernetes_accepts_every_manifest(example: str) -> None:
    for manifest in rendered(example):
        check_manifest(manifest)


def test_a_manifest_that_kubernetes_does_not_accept_is_noticed() -> None:
    manifest = copy.deepcopy(next(each for each in rendered("defaults") if each["kind"] == "Deployment"))
    manifest["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(jsonschema.ValidationError):
        check_manifest(manifest)


@pytest.mark.parametrize("example", ALL)
def test_no_two_manifests_have_one_name(example: str) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in rendered(example)]
    assert len(names) == len(set(names))


def _selected(selector: dict[str, str], manifests: list[Manifest]) -> set[str]:
    found = set[str]()
    for each in manifests:
        if each["kind"] == "Deployment":
            labels = each["spec"]["template"]["metadata"]["labels"]
            if selector.items() <= labels.items():
                found.add(each["metadata"]["name"])
    return found


@pytest.mark.parametrize("example", ALL)
def test_each_selector_finds_the_pods_of_one_deployment(example: str) -> None:
    manifests = rendered(example)
    for each in manifests:
        spec = each.get("spec", {})
        if each["kind"] in ("Deployment", "PodDisruptionBudget"):
            selector = spec["selector"]["matchLabels"]
        elif each["kind"] == "Service":
            selector = spec["selector"]
        elif each["kind"] == "NetworkPolicy":
            selector = spec["podSelector"]["matchLabels"]
        else:
            continue
        name = each["metadata"]["name"].removesuffix("-pods")
        assert _selected(selector, manifests) == {name}


@pytest.mark.parametrize("example", ALL)
def test_a_service_monitor_finds_one_service(example: str) -> None:
    """Not the one by which the gateway finds pods: each process would be scraped twice."""
    manifests = rendered(example)
    services = [each["metadata"] for each in manifests if each["kind"] == "Service"]
    for monitor in (each for each in manifests if each["kind"] == "ServiceMonitor"):
        labels = monitor["spec"]["selector"]["matchLabels"].items()
        found = [each["name"] for each in services if labels <= each["labels"].items()]
        assert found == [monitor["metadata"]["name"]]
        (endpoint,) = monitor["spec"]["endpoints"]
        component = monitor["metadata"]["name"].rpartition("-")[2]
        assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": f"keyturn-{component}"}]


@pytest.mark.parametrize(
    "values",
    [
        {"publicUrl": ""},
        {"publicUrl": None},
        {"trustedProxies": []},
        {"trustedProxies": ["10.42.0.0"]},
        {"credentails": {"replicas": 2}},
        {"verifier": {"replica": 2}},
        {"verifier": {"workers": 0}},
        {"settings": {"LOG_LEVEL": "debug"}},
        {"httpRoute": {"enabled": True}},
        {"image": {"digest": "latest"}},
        {"ingress": {"enabled": True}, "gateway": {"enabled": False}},
        {"probe": {"enabled": True}},
        {"probe": {"enabled": True, "realm": "master"}},
        {"probe": {"enabled": True, "realm": "canaries", "intervalSeconds": 0}},
    ],
    ids=str,
)
def test_values_that_cannot_work_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ChartError):
        render(**values)
