"""Each process reaches what its settings may name, and no other process does."""

from typing import Any, Final

import pytest

from tests.integration.kubernetes.chart import of_kind, render, rendered
from tests.testkit.helm import ChartError

pytestmark = pytest.mark.timeout(900)  # the first test of all builds Helm
_PEER: Final = {"ipBlock": {"cidr": "10.20.0.0/16"}}
_PORT: Final = 8443


def _egress(**policy: Any) -> dict[str, list[dict[str, Any]]]:
    """Return what each component may connect to, by its name."""
    manifests = render(networkPolicy=policy, probe={"enabled": True, "realm": "canaries"})
    policies = of_kind(manifests, "NetworkPolicy")
    return {name: manifest["spec"]["egress"] for name, manifest in policies.items()}


def _rule(*, to: bool) -> dict[str, Any]:
    return {"ports": [{"port": _PORT, "protocol": "TCP"}], **({"to": [_PEER]} if to else {})}


@pytest.mark.parametrize(
    ("receiver", "senders"),
    [("notices", {"credentials"}), ("traces", {"credentials", "verifier"})],
)
@pytest.mark.parametrize("to", [True, False])
def test_those_who_send_to_a_receiver_reach_it(receiver: str, senders: set[str], to: bool) -> None:
    egress = _egress(**{receiver: {"ports": [_PORT], "to": [_PEER] if to else []}})
    assert {name for name, rules in egress.items() if _rule(to=to) in rules} == senders


@pytest.mark.parametrize("receiver", ["notices", "traces"])
def test_without_ports_a_receiver_opens_nothing(receiver: str) -> None:
    assert _egress(**{receiver: {"ports": [], "to": [_PEER]}}) == _egress()


def test_a_public_receiver_of_webhooks_needs_nothing() -> None:
    """The credentials service may connect to it as to a JWKS URL."""
    policies = of_kind(rendered("defaults"), "NetworkPolicy")
    public = [
        rule
        for rule in policies["credentials"]["spec"]["egress"]
        if any(peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0" for peer in rule.get("to", []))
    ]
    assert [rule["ports"] for rule in public] == [[{"port": 443, "protocol": "TCP"}]]


@pytest.mark.parametrize("wrong", [{"ports": [0]}, {"ports": ["https"]}, {"port": 443}])
def test_a_receiver_that_is_written_wrongly_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ChartError, match="notices"):
        _egress(notices=wrong)
