"""The prober's pod: one, with arguments that the command takes, and a way to every node."""

from typing import Any, Final

import pytest

from tests.integration.kubernetes.chart import container, of_kind, render, rendered
from tests.testkit.probe_options import probe_parameters

pytestmark = pytest.mark.timeout(900)  # the first test of all builds Helm
ON: Final = {"enabled": True, "realm": "canaries"}


def _parameters(**values: object) -> dict[str, Any]:
    """Return the parameters that the command reads from the pod's arguments."""
    return probe_parameters(container(of_kind(render(probe=ON | values), "Deployment")["probe"])["args"])


def test_it_runs_only_if_it_is_asked_for() -> None:
    for kind in ("Deployment", "Service", "NetworkPolicy", "PodDisruptionBudget"):
        assert "probe" not in of_kind(rendered("defaults"), kind)
        assert "probe" in of_kind(rendered("sentinel"), kind)


def test_there_is_never_more_than_one() -> None:
    spec = of_kind(rendered("sentinel"), "Deployment")["probe"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_the_command_takes_its_arguments() -> None:
    parameters = _parameters(clientId="of the realm: #1", arguments=["--wait", "20"])
    assert parameters["realm"] == "canaries"
    assert parameters["client_id"] == "of the realm: #1"
    assert parameters["server"] == "http://keyturn-credentials.id.svc:8080"
    assert (parameters["interval"], parameters["wait"]) == (15, 20)
    assert str(parameters["secret_file"]) == "/run/secrets/keyturn/client_secret"
    assert parameters["forwarded_for"] == "192.0.2.1"
    assert parameters["metrics_address"] == "0.0.0.0:8080"
    assert not parameters["once"]


def test_the_secret_is_a_file_and_no_argument() -> None:
    deployment = of_kind(rendered("sentinel"), "Deployment")["probe"]
    (secret,) = (
        volume["secret"]
        for volume in deployment["spec"]["template"]["spec"]["volumes"]
        if volume["name"] == "secrets"
    )
    assert secret["items"] == [{"key": "client_secret", "path": "client_secret"}]
    assert "env" not in container(deployment)


@pytest.mark.parametrize("gateway", [True, False])
def test_it_asks_every_pod_of_the_nodes(gateway: bool) -> None:
    manifests = render(probe=ON, gateway={"enabled": gateway})
    (node,) = _parameters()["node"]
    assert node == "http://keyturn-verifier-pods.id.svc:8080"
    service = of_kind(manifests, "Service")["verifier-pods"]
    assert service["spec"]["clusterIP"] == "None"
    policies = of_kind(manifests, "NetworkPolicy")
    for name in ("credentials", "verifier"):
        senders = [
            peer.get("podSelector", {}).get("matchLabels", {}).get("app.kubernetes.io/component")
            for peer in policies[name]["spec"]["ingress"][0]["from"]
        ]
        assert "probe" in senders
