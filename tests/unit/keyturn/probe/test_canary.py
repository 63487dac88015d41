"""The prober changes its own canary, and no client that it did not create."""

import base64
import json
from typing import Any

import pytest

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.probe.canary import MARK, count_nodes, read_issued_at
from tests.unit.keyturn.probe.server_model import NOW, ServerModel, marked


def _token(claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"header.{payload}.signature"


def test_an_absent_canary_is_created_with_the_mark() -> None:
    server = ServerModel()
    call = server.canary().prepare()
    assert call is not None
    assert call.is_confirmed
    ((method, path, body),) = server.changes
    assert (method, path, body["attributes"]) == ("POST", "/clients", {MARK: "true"})


@pytest.mark.parametrize(
    "client",
    [
        {"id": "u", "clientId": "canary", "enabled": True},
        {"id": "u", "clientId": "canary", "enabled": True, "attributes": {}},
        {"id": "u", "clientId": "canary", "enabled": False, "attributes": {MARK: "false"}},
        {"id": "u", "clientId": "canary", "enabled": True, "attributes": "text"},
        marked(attributes={MARK: "true", "keyturn.admin.roles": "manage-clients"}),
    ],
)
def test_somebody_elses_client_is_refused_and_not_changed(client: dict[str, Any]) -> None:
    server = ServerModel(client)
    with pytest.raises(CommandError, match="was not created by keyturn probe") as refused:
        server.canary().prepare()
    assert refused.value.exit_code is ExitCode.USAGE
    assert server.changes == []


def test_a_canary_as_it_should_be_needs_no_change() -> None:
    server = ServerModel(marked(notBefore=0))
    assert server.canary().prepare() is None
    assert server.changes == []


@pytest.mark.parametrize("left", [{"enabled": False}, {"notBefore": NOW}])
def test_a_canary_that_a_round_left_otherwise_is_enabled(left: dict[str, object]) -> None:
    server = ServerModel(marked(**left))
    assert server.canary().prepare() is not None
    assert server.changes == [("PUT", "/clients/u", {"enabled": True, "notBefore": 0})]


def test_the_former_secret_ends_at_once_whatever_the_policy_is() -> None:
    server = ServerModel(marked())
    canary = server.canary()
    canary.prepare()
    _, secret = canary.regenerate()
    assert secret.reveal() == "secret-1"
    assert server.changes == [("POST", "/clients/u/client-secret", {"overlap": "0"})]


def test_tokens_end_by_a_time_that_the_server_has_not_reached_when_it_commits() -> None:
    server = ServerModel(marked())
    canary = server.canary()
    canary.prepare()
    canary.end_tokens(None)
    assert server.changes[0][2] == {"notBefore": NOW + 5}


def test_tokens_of_a_node_whose_clock_is_ahead_end_too() -> None:
    server = ServerModel(marked())
    canary = server.canary()
    canary.prepare()
    canary.end_tokens(_token({"iat": NOW + 30}))
    assert server.changes[0][2] == {"notBefore": NOW + 35}
    with pytest.raises(CommandError, match="clock is 7200 s ahead"):
        canary.end_tokens(_token({"iat": NOW + 7200}))
    assert len(server.changes) == 1


@pytest.mark.parametrize(
    "token",
    ["", "opaque", "a.b.c", "a.%.c", _token([]), _token({}), _token({"iat": "x"}), _token({"iat": 1e999})],
)
def test_a_token_that_cannot_be_read_has_no_time(token: str) -> None:
    assert read_issued_at(token) == 0


def test_a_newer_event_of_the_canary_is_somebody_elses_change() -> None:
    server = ServerModel(marked())
    canary = server.canary()
    canary.prepare()
    call = canary.disable()
    assert not canary.was_changed_since(call)
    server.events.append({"sequence": 8})
    assert canary.was_changed_since(call)


def test_workers_of_a_node_are_one_and_nodes_without_a_lease_or_with_some_realms_are_none() -> None:
    node = {"lease": "held", "fleet_keys": ["k"]}
    nodes: list[Any] = [
        {**node, "id": "n1.w0.aa", "name": "n1.w0"},
        {**node, "id": "n1.w1.bb", "name": "n1.w1"},
        {**node, "id": "n2.cc", "name": "n2"},
        {**node, "id": "n2.dd", "name": "n2"},
        {**node, "id": "n3.ee", "name": "n3", "lease": "expired"},
        {**node, "id": "n4.ff", "name": "n4", "fleet_keys": None},
        "nonsense",
    ]
    assert count_nodes(nodes) == 3
