"""``keyturn rotate``: its words and exit codes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner, Result

from keyturn.admin_cli import rotate
from keyturn.admin_cli.campaign import Campaign
from keyturn.admin_cli.session import Session, reporting
from keyturn.cli import app
from tests.unit.keyturn.admin_cli.campaign_service import Service, client, clients

AGAIN = "the same command with --created-before 1970-01-01T00:01:40"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    """Four clients, and a service whose time is 100."""
    service = Service(clients(4))

    @contextmanager
    def opened(profile: str | None, realm: str | None, *, as_json: bool) -> Iterator[Session]:
        with reporting():
            yield service.session(as_json=as_json)

    monkeypatch.setattr(rotate, "opened", opened)
    return service


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["rotate", "--yes", "--rate", "1000", *words])


def test_what_became_of_the_clients_is_told(service: Service) -> None:
    service.gone = {"c1"}
    service.statuses = {"c2": 409}
    told = run()
    assert (told.exit_code, told.stdout.splitlines()[0]) == (
        0,
        "2 of 4 rotations begun, 1 were under way before, 1 skipped: gone, or with another secret by now.",
    )
    shown = json.loads(run("--json").stdout)
    assert (shown["skipped"], shown["under_way"], shown["created_before"]) == (
        ["client-c1"],
        ["client-c2"],
        100,
    )


def test_what_no_node_confirms_is_done_and_has_its_own_exit_code(service: Service) -> None:
    service.is_safe = False
    assert run().exit_code == 4


def test_failures_count_more_than_what_no_node_confirms(service: Service) -> None:
    service.is_safe = False
    service.statuses = {"c1": 400}
    failed = run("--json")
    assert (failed.exit_code, json.loads(failed.stdout)["safe"]) == (1, False)
    assert f"1 rotation could not be begun; {AGAIN} continues\n" in failed.stderr


def test_a_wait_in_vain_names_the_rotations_and_does_not_say_that_it_continues(service: Service) -> None:
    service.is_safe = False
    service.states = {"c0": ["in_use"], "c1": ["retired"]}
    stopped = run("--canary", "2")
    assert stopped.exit_code == 1
    assert "client-c1: see keyturn rotations show c1\n" in stopped.stderr
    assert f"before others are rotated; {AGAIN} begins with other first clients\n" in stopped.stderr
    assert "client-c0" not in stopped.stderr
    assert "continues" not in stopped.stderr


def test_ctrl_c_says_how_to_continue(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(campaign: Campaign, clients: object) -> None:
        campaign.outcome.selected = 4
        campaign.outcome.rotated.append("client-c0")
        raise KeyboardInterrupt

    monkeypatch.setattr(Campaign, "run", interrupted)
    ended = run()
    assert ended.exit_code == 130
    assert f"stopped after 1 of 4 clients; {AGAIN} continues\n" in ended.stderr


def test_a_server_that_is_away_has_its_own_exit_code(service: Service) -> None:
    service.statuses = {"c2": 503}
    ended = run()
    assert ended.exit_code == 5
    assert f"stopped after 2 of 4 clients; {AGAIN} continues\n" in ended.stderr


@pytest.mark.parametrize("words", [("--created-before", "101"), ("--compromised", "--canary", "1")])
def test_wrong_use_rotates_nobody(service: Service, words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2
    assert service.rotated == []


def test_the_callers_own_client_is_left_out_and_named(service: Service) -> None:
    service.listings = [[client("own")]]
    ended = run()
    assert (ended.exit_code, ended.stdout) == (0, "No client has such a secret.\n")
    assert ended.stderr == "keyturn: your own client, which you are signed in with, is left out\n"
