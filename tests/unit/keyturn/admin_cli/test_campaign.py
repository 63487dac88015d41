"""A campaign: its pace, its first clients, its failures, and where it stops."""

from typing import Any

import pytest

from keyturn.admin_cli.campaign import Campaign, Pace, Selection
from keyturn.admin_cli.exits import CommandError
from tests.unit.keyturn.admin_cli.campaign_service import Service, client, clients


def test_rotations_begin_at_the_rate() -> None:
    service = Service(clients(5))
    outcome = service.run(Pace(rate=4))
    assert service.rotated == [f"c{number}" for number in range(5)]
    assert service.began == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert (len(outcome.rotated), outcome.sequence, outcome.stopped) == (5, 5, None)


def test_what_a_stall_has_delayed_is_not_made_up_for() -> None:
    service = Service(clients(5))
    service.seconds = {"c1": 60.0}
    service.run(Pace(rate=4))
    assert service.began == [0.0, 0.25, 60.25, 60.5, 60.75]


def test_a_wait_for_the_first_clients_is_not_made_up_for() -> None:
    service = Service(clients(4))
    service.states = {"c0": ["prepared", "prepared", "in_use"]}
    service.run(Pace(rate=4, canary=1, canary_seconds=60))
    assert service.began == [0.0, 4.0, 4.25, 4.5]


def test_the_others_follow_once_the_first_ones_have_used_their_new_secrets() -> None:
    service = Service(clients(4))
    service.states = {"c0": ["prepared", "in_use"], "c1": ["prepared", "delivered", "in_use", "done"]}
    outcome = service.run(Pace(rate=1000, canary=2, canary_seconds=60))
    assert (outcome.stopped, outcome.unused) == (None, {})
    assert [begun >= 4 for begun in service.began] == [False, False, True, True]


def test_a_use_counts_after_the_rotation_has_gone_on() -> None:
    service = Service(clients(1))
    service.states = {"c0": ["retired"]}
    service.histories["c0"] = [{"state": "in_use"}]
    assert service.run(Pace(rate=1000, canary=1, canary_seconds=60)).stopped is None


@pytest.mark.parametrize(
    ("state", "stopped"),
    [
        ("prepared", "1 of the first 2 clients do not use their new secret"),
        ("rolled_back", "1 of the first 2 rotations were given up"),
        ("retired", "the former secret of client-c1 ended before the new one was used"),
        ("done", "the former secret of client-c1 ended before the new one was used"),
    ],
)
@pytest.mark.parametrize("count", [2, 4])
def test_it_stops_if_the_first_ones_do_not(state: str, stopped: str, count: int) -> None:
    service = Service(clients(count))
    service.states = {"c0": ["in_use"], "c1": [state]}
    outcome = service.run(Pace(rate=1000, canary=2, canary_seconds=60))
    assert (outcome.stopped, service.rotated) == (stopped, ["c0", "c1"])
    assert outcome.unused == {"client-c1": "c1"}


def test_fewer_clients_than_are_to_be_first_are_waited_for_at_the_end() -> None:
    service = Service(clients(2))
    service.states = {"c0": ["in_use"], "c1": ["prepared"]}
    outcome = service.run(Pace(rate=1000, canary=5, canary_seconds=60))
    assert outcome.stopped == "1 of the first 2 clients do not use their new secret"


def test_the_first_ones_are_rotations_that_have_begun() -> None:
    service = Service(clients(5))
    service.statuses = {"c0": 409, "c1": 400}
    service.gone = {"c2"}
    service.states = {"c3": ["prepared"]}
    outcome = service.run(Pace(rate=1000, canary=1, canary_seconds=60, max_failures=1))
    assert (outcome.unused, service.rotated) == ({"client-c3": "c3"}, ["c3"])


def test_nobody_is_waited_for_if_no_rotation_has_begun() -> None:
    service = Service(clients(2))
    service.statuses = {"c0": 409, "c1": 409}
    outcome = service.run(Pace(rate=1000, canary=2, canary_seconds=60))
    assert (outcome.stopped, outcome.under_way) == (None, ["client-c0", "client-c1"])


def test_a_disabled_client_is_rotated_and_not_waited_for() -> None:
    service = Service([client("off", enabled=False), client("a"), client("b"), client("late")])
    service.clients["a"] = client("a", enabled=False)  # since it was listed
    service.states = {"b": ["in_use"]}
    outcome = service.run(Pace(rate=1000, canary=1, canary_seconds=60))
    assert (outcome.stopped, service.rotated) == (None, ["a", "b", "late", "off"])


def test_a_client_that_does_not_fit_any_more_is_skipped() -> None:
    service = Service(clients(5))
    service.clients["c0"] = client("c0", "100")
    service.clients["c1"] = client("c1", clientAuthenticatorType="client-jwt")
    service.gone = {"c2"}
    service.statuses = {"c3": 404}
    outcome = service.run(Pace(rate=4))
    assert outcome.skipped == ["client-c0", "client-c1", "client-c2", "client-c3"]
    assert (service.rotated, outcome.failed, outcome.handled) == (["c4"], {}, 5)
    assert service.began == [0.0, 0.25], "who is skipped takes no turn"


def test_clients_that_a_listing_has_missed_are_rotated_too() -> None:
    a, b, c, d = clients(4)
    service = Service([a, a, c], [a, b, c], [b, d], [d])
    outcome = service.run(Pace(rate=1000))
    assert service.rotated == ["c0", "c2", "c1", "c3"]
    assert outcome.selected == 4


def test_the_callers_own_client_is_left_out() -> None:
    service = Service([client("own"), client("a")])
    assert service.run(Pace(rate=1000)).rotated == ["client-a"]


def test_a_rotation_under_way_is_no_failure_and_failures_are_counted() -> None:
    service = Service(clients(6))
    service.statuses = {"c0": 409, "c1": 403, "c2": 400, "c4": 400}
    outcome = service.run(Pace(rate=1000, max_failures=2))
    assert outcome.under_way == ["client-c0"]
    assert outcome.rotated == ["client-c3"]
    assert list(outcome.failed) == ["client-c1", "client-c2", "client-c4"]
    assert outcome.failed["client-c2"] == "refused c2"
    assert outcome.stopped == "3 rotations could not be begun"


@pytest.mark.parametrize("status", [401, 503])
def test_a_server_that_is_away_ends_it_with_what_was_done(status: int) -> None:
    service = Service(clients(4))
    service.statuses = {"c2": status}
    campaign = service.campaign(Pace(rate=1000))
    with pytest.raises(CommandError):
        campaign.run(service.listings[0])
    assert campaign.outcome.rotated == ["client-c0", "client-c1"]


def test_an_interrupted_wait_leaves_the_clients_that_were_waited_for() -> None:
    service = Service(clients(3))
    service.states = {"c0": ["in_use"], "c1": ["prepared"]}

    def interrupt(seconds: float) -> None:
        if seconds >= 1:
            raise KeyboardInterrupt

    pace = Pace(rate=1000, canary=2, canary_seconds=60)
    campaign = Campaign(
        service.session(), Selection(created_before=100), pace, "manual", sleep=interrupt, elapsed=lambda: 0.0
    )
    with pytest.raises(KeyboardInterrupt):
        campaign.run(service.listings[0])
    assert campaign.outcome.unused == {"client-c1": "c1"}


def test_only_secrets_made_before_are_chosen() -> None:
    service = Service(
        [
            client("old"),
            client("new", "100"),
            client("signs", clientAuthenticatorType="client-secret-jwt"),
            client("key", clientAuthenticatorType="client-jwt"),
            client("public", publicClient=True),
            client("bearer", bearerOnly=True),
            client("none", None),
            client("odd", "x"),
        ]
    )

    def chosen(**selection: Any) -> list[str]:
        found = Selection(created_before=100, **selection).clients(service.session())
        return [each["id"] for each in found]

    assert chosen() == ["old", "signs"]
    assert chosen(authenticator="client-secret-jwt") == ["signs"]
    assert service.queries[-1] == "first=0&max=500"
    chosen(part="pay", attributes="team:a b:c")
    assert service.queries[-1] == "clientId=pay&search=true&q=team%3Aa+b%3Ac&first=0&max=500"
