"""A prober with real nodes: each result, and nothing changed but the canary."""

import asyncio
import json
from typing import Any

import pytest

from tests.integration.probe.scene import PROBER, REALM, Scene

_DEAF = "tests.integration.probe.deaf_node"


def _clients(scene: Scene) -> dict[str, Any]:
    """Return all clients but the canary, with their secrets."""
    with scene.admin() as http:
        path = f"/admin/realms/{REALM}/clients"
        listed = http.get(path).json()
        secrets = {each["id"]: http.get(f"{path}/{each['id']}/client-secret").text for each in listed}
    return {
        each["clientId"]: (each, secrets[each["id"]])
        for each in listed
        if each["clientId"] != "keyturn-probe"
    }


def test_a_healthy_fleet_holds_and_no_other_client_is_changed(scene: Scene) -> None:
    """The prober has the least rights: those to manage the clients of the canary's own realm."""
    before = _clients(scene)
    for _ in range(2):
        ended, round_ = scene.once(scene.node.url)
        assert (ended.code, round_["result"], round_["findings"]) == (0, "held", [])
        assert round_["nodes"] == {
            "fleet": 1,
            "reached": [scene.node.url.removeprefix("http://")],
            "unreached": [],
        }
        assert [check["check"] for check in round_["checks"]] == ["secret", "disabled", "tokens"]
        assert all(check["effect_ms"] >= check["call_ms"] > 0 for check in round_["checks"])
    assert _clients(scene) == before
    with scene.admin() as http:
        (canary,) = http.get(f"/admin/realms/{REALM}/clients", params={"clientId": "keyturn-probe"}).json()
        events = http.get(f"/admin/realms/{REALM}/event-log", params={"max": 10}).json()
    assert canary["enabled"] is True
    assert {event["client_id"] for event in events} == {"keyturn-probe"}


@pytest.mark.parametrize(
    ("kind", "turns", "checks"),
    [
        ("client_secret_rotated", "0,1,2,3", {"secret"}),
        # A round changes the canary four times: it is disabled, enabled, its tokens are ended, it is enabled.
        ("client_updated", "0", {"disabled"}),
        ("client_updated", "2", {"tokens"}),
        ("client_updated", "0,1,2,3", {"disabled", "tokens"}),
    ],
)
def test_a_node_that_leaves_an_event_out_is_found_in_one_round_and_named(
    scene: Scene, kind: str, turns: str, checks: set[str]
) -> None:
    assert scene.once(scene.node.url)[0].code == 0, "the canary is there"
    name = f"deaf-{kind}-{turns}"
    deaf = asyncio.run(scene.surroundings.make_node(name, module=_DEAF, DEAF_TO=kind, DEAF_TURNS=turns))
    try:
        ended, round_ = scene.once(scene.node.url, deaf.url)
    finally:
        deaf.stop()
    assert (ended.code, round_["result"]) == (1, "broken")
    broken = [finding for finding in round_["findings"] if finding["result"] == "broken"]
    assert {finding["node"] for finding in broken} == {deaf.url.removeprefix("http://")}
    assert {finding["check"] for finding in broken} == checks
    assert round_["nodes"]["fleet"] == 2


def test_the_former_secret_ends_at_once_in_a_realm_whose_policy_lets_it_overlap(scene: Scene) -> None:
    policy = {
        "keyturn.secret.expiration-period": "86400",
        "keyturn.secret.rotated-expiration-period": "3600",
    }
    with scene.admin() as http:
        path = f"/admin/realms/{REALM}"
        http.put(path, json={"attributes": policy}).raise_for_status()
        try:
            assert scene.once(scene.node.url)[1]["findings"] == []
        finally:
            http.put(path, json={"attributes": {}}).raise_for_status()


def test_a_node_that_was_stopped_is_unreachable_and_the_others_are_checked(scene: Scene) -> None:
    other = asyncio.run(scene.surroundings.make_node("stopped"))
    other.stop()
    ended, round_ = scene.once(scene.node.url, other.url)
    assert (ended.code, round_["result"]) == (5, "unreachable")
    assert round_["nodes"]["unreached"] == [other.url.removeprefix("http://")]
    assert round_["nodes"]["reached"] == [scene.node.url.removeprefix("http://")]


def test_a_node_that_nobody_named_is_told(scene: Scene) -> None:
    hidden = asyncio.run(scene.surroundings.make_node("hidden"))
    try:
        ended, round_ = scene.once(scene.node.url)
    finally:
        hidden.stop()
    assert (ended.code, round_["result"], round_["nodes"]["fleet"]) == (5, "unreachable", 2)
    (finding,) = round_["findings"]
    assert finding["detail"] == "the fleet has 2 nodes with a lease, and 1 were reached"


def test_a_node_that_was_killed_makes_calls_wait_and_is_unreachable(scene: Scene) -> None:
    other = asyncio.run(scene.surroundings.make_node("killed"))
    other.kill()
    ended, round_ = scene.once(scene.node.url, other.url, more=("--wait", "60"))
    assert (ended.code, round_["result"]) == (5, "unreachable")
    ended, round_ = scene.once(scene.node.url)
    assert (ended.code, round_["result"], round_["nodes"]["fleet"]) == (0, "held", 1)


@pytest.mark.parametrize(
    "attributes", [{}, {"keyturn.probe.canary": "true", "keyturn.admin.roles": "view-clients"}]
)
def test_somebody_elses_client_is_refused_and_not_changed(scene: Scene, attributes: dict[str, str]) -> None:
    name = f"orders-{len(attributes)}"
    scene.create(clientId=name, serviceAccountsEnabled=True, attributes=attributes)
    before = _clients(scene)
    ended, round_ = scene.once(scene.node.url, more=("--canary", name))
    assert (ended.code, round_["result"]) == (2, "failed")
    assert "was not created by keyturn probe" in round_["findings"][0]["detail"]
    assert _clients(scene) == before


def test_an_administrator_of_one_realm_probes_no_other(scene: Scene) -> None:
    with scene.admin() as http:
        assert http.post("/admin/realms", json={"realm": "other"}).status_code in (201, 409)
    words = scene.options(scene.node.url, realm="other")
    ended = scene.program.run_program(*words, "--admin-realm", REALM, "--once", "--json")
    assert (ended.code, json.loads(ended.out)["result"]) == (3, "failed")


def test_rights_to_configure_suffice_once_the_canary_is_there(scene: Scene) -> None:
    assert scene.once(scene.node.url)[0].code == 0
    with scene.admin() as http:
        path = f"/admin/realms/{REALM}/clients"
        (prober,) = http.get(path, params={"clientId": PROBER}).json()
        given = prober["attributes"]
        for roles, name, code in (
            ("configure-clients", "keyturn-probe", 0),
            ("configure-clients", "new-canary", 3),
            ("view-clients", "keyturn-probe", 3),
        ):
            attributes = {**given, "keyturn.admin.roles": roles}
            http.put(f"{path}/{prober['id']}", json={"attributes": attributes}).raise_for_status()
            assert scene.once(scene.node.url, more=("--canary", name))[0].code == code, (roles, name)
        http.put(f"{path}/{prober['id']}", json={"attributes": given}).raise_for_status()


@pytest.mark.parametrize(
    "words",
    [
        ("--realm", "master"),
        ("--node", "ftp://a"),
        ("--node", "http://192.0.2.1"),
        ("--metrics-address", "nonsense"),
        ("--profile", "p"),
        ("--key-file", "k"),
        ("--ca-file", "missing.pem"),
    ],
)
def test_wrong_options_end_the_command_before_anything_is_changed(
    scene: Scene, words: tuple[str, str]
) -> None:
    ended = scene.program.run(*scene.options(scene.node.url), *words)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("keyturn: ")


def test_without_a_node_there_is_nothing_to_probe(scene: Scene) -> None:
    ended = scene.program.run(*scene.options())
    assert (ended.code, ended.err) == (2, "keyturn: name the nodes with --node URL\n")
