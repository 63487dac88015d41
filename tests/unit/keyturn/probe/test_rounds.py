"""A round asks every node after each call, and leaves the canary enabled."""

from collections.abc import Sequence

import httpx
import pytest

from keyturn.probe.judgement import CheckName, Place, Result, Verdict, judge
from keyturn.probe.rounds import WATCH_SECONDS, Prober
from keyturn.probe.targets import Node
from tests.unit.keyturn.probe.server_model import ALL, NodesModel, ServerModel, marked

URL = httpx.URL("http://nodes.test:8080")


class Clock:
    """Moves by each pause."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def prober_of(server: ServerModel, nodes: NodesModel) -> Prober:
    def find(urls: Sequence[httpx.URL]) -> tuple[list[Node], list[str]]:
        return [Node(URL, "10.0.0.1"), Node(URL, "10.0.0.2")], []

    clock = Clock()
    return Prober(server.canary(clock), nodes, [URL], elapsed=clock, sleep=clock.sleep, find_nodes=find)


def probe(server: ServerModel, nodes: NodesModel, rounds: int = 1) -> list[Verdict]:
    prober = prober_of(server, nodes)
    try:
        return [judge(prober.round()) for _ in range(rounds)]
    finally:
        prober.close()


def test_rounds_hold_and_leave_the_canary_enabled() -> None:
    server = ServerModel()
    verdicts = probe(server, NodesModel(server), rounds=2)
    assert [(verdict.result, verdict.findings) for verdict in verdicts] == [(Result.HELD, ())] * 2
    assert verdicts[0].reached == ("nodes.test:8080 (10.0.0.1)", "nodes.test:8080 (10.0.0.2)")
    assert server.client is not None
    assert (server.client["enabled"], server.client["notBefore"]) == (True, 0)
    assert [method for method, _, _ in server.changes[:2]] == ["POST", "POST"]
    assert len(server.changes) == 2 + 2 * 5


@pytest.mark.parametrize(
    ("place", "checks"),
    [
        (Place.TOKEN, {CheckName.SECRET}),
        (Place.INTROSPECTION, {CheckName.TOKENS}),
        (Place.VERIFY, {CheckName.TOKENS}),
        (Place.FORWARD_AUTH, {CheckName.DISABLED}),
    ],
)
def test_acceptance_at_any_place_is_noticed(place: Place, checks: set[CheckName]) -> None:
    server = ServerModel()
    (verdict,) = probe(server, NodesModel(server, {("10.0.0.2", place): 3}))
    assert verdict.result is Result.BROKEN
    assert {finding.check for finding in verdict.findings} == checks
    assert {finding.node for finding in verdict.findings} == {"nodes.test:8080 (10.0.0.2)"}
    assert "refused it 300 ms after" in verdict.findings[0].detail


def test_a_node_that_never_refuses_is_watched_for_a_while_only() -> None:
    server = ServerModel()
    wrong = {("10.0.0.2", place): 10_000 for place in Place}
    (verdict,) = probe(server, NodesModel(server, wrong))
    assert {finding.check for finding in verdict.findings} == set(CheckName)
    assert all("did not refuse it while" in finding.detail for finding in verdict.findings)
    assert wrong["10.0.0.2", Place.VERIFY] > 10_000 - 20 * WATCH_SECONDS


@pytest.mark.parametrize("fleet", ["unknown", "nodes=2, applied=1, fenced=0, pending=1", "nonsense"])
@pytest.mark.parametrize("confirmed", range(5))
def test_a_call_that_is_not_confirmed_ends_the_round(fleet: str, confirmed: int) -> None:
    server = ServerModel(marked(), fleet=[*[ALL] * confirmed, fleet])
    wrong = {("10.0.0.2", place): 10_000 for place in Place}
    unconfirmed, next_one = probe(server, NodesModel(server, dict(wrong) if confirmed < 1 else {}), rounds=2)
    assert unconfirmed.result is Result.UNCONFIRMED
    if confirmed:
        assert next_one.result is Result.HELD


def test_a_node_that_is_away_is_unreachable_and_the_others_are_checked() -> None:
    server = ServerModel()
    (verdict,) = probe(server, NodesModel(server, away={"10.0.0.2"}))
    assert verdict.result is Result.UNREACHABLE
    assert verdict.reached == ("nodes.test:8080 (10.0.0.1)",)
    assert [finding.detail for finding in verdict.findings] == [
        "nodes.test:8080 (10.0.0.2): no response within 5 s",
        "the fleet has 2 nodes with a lease, and 1 were reached",
    ]


def test_acceptance_after_somebody_elses_change_is_not_called_broken() -> None:
    server = ServerModel(events=[{"sequence": 9}])
    (verdict,) = probe(server, NodesModel(server, {("10.0.0.2", Place.TOKEN): 1}))
    assert verdict.result is Result.FAILED


def test_a_secret_that_somebody_else_changed_is_replaced_in_the_next_round() -> None:
    server = ServerModel()
    prober = prober_of(server, NodesModel(server))
    assert judge(prober.round()).result is Result.HELD
    server.secret += 1
    assert judge(prober.round()).result is Result.FAILED
    assert judge(prober.round()).result is Result.HELD
    prober.close()


@pytest.mark.parametrize(("status", "result"), [(503, Result.UNREACHABLE), (403, Result.FAILED)])
def test_a_server_that_refuses_changes_does_not_end_the_prober(status: int, result: Result) -> None:
    server = ServerModel(refuses=status)
    (verdict,) = probe(server, NodesModel(server))
    assert verdict.result is result
