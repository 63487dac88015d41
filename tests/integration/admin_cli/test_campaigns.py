"""``keyturn rotate`` with a real service and node."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.testkit.admin_api import ADMIN_ID
from tests.testkit.program import Program

TOKEN = "/realms/acme/protocol/openid-connect/token"


@pytest.fixture
def team(signed_in: Program, request: pytest.FixtureRequest) -> dict[str, str]:
    """Three clients with one attribute, and their secrets by client id."""
    name = request.node.name.partition("[")[0][-20:]
    created = {}
    for number in range(3):
        client_id = f"{name}-{number}"
        made = signed_in.run("clients", "create", client_id, "--attribute", f"campaign={name}", "--json")
        created[client_id] = made.json["secret"]
    time.sleep(1.1)  # a secret's time of creation has whole seconds
    return created


def chosen(team: dict[str, str], before: int | None = None) -> list[str]:
    """Return the options that choose these clients, with secrets made before a time."""
    name = next(iter(team)).rpartition("-")[0]
    created = [] if before is None else ["--created-before", str(before)]
    return ["--query", f"campaign:{name}", *created]


def is_accepted(node_url: str, client_id: str, secret: str) -> bool:
    form = {"grant_type": "client_credentials"}
    answer = httpx.post(f"{node_url}{TOKEN}", data=form, auth=(client_id, secret), trust_env=False)
    assert answer.status_code in (200, 401), answer.text
    return answer.status_code == 200


def test_it_is_shown_first_asked_for_and_then_done(
    signed_in: Program, node_url: str, team: dict[str, str]
) -> None:
    options = chosen(team)
    shown = signed_in.run("rotate", *options, "--dry-run", "--json").json
    assert [each["client_id"] for each in shown] == sorted(team)
    assert signed_in.ok("rotate", *options, "--dry-run").out.startswith("CLIENT ID ")
    refused = signed_in.run("rotate", *options, stdin="n\n")
    assert refused.code == 2
    assert "Rotate the secrets of 3 clients of realm acme?" in refused.err
    done = signed_in.ok("rotate", *options, "--yes").out
    assert done.startswith("3 of 3 rotations begun.\n")
    for client_id, former in team.items():
        new = signed_in.ok("secrets", "show", client_id, "--value").out.strip()
        assert new != former
        assert all(is_accepted(node_url, client_id, each) for each in (former, new))
    time.sleep(1.1)
    again = signed_in.ok("rotate", *options, "--yes").out
    assert again.startswith("0 of 3 rotations begun, 3 were under way before.\n")


def test_a_compromised_vault_is_one_call(signed_in: Program, node_url: str, team: dict[str, str]) -> None:
    options = chosen(team, int(time.time()))
    done = signed_in.run("rotate", *options, "--compromised", "--yes", "--json").json
    assert (done["selected"], done["rotated"], done["safe"], done["failed"]) == (3, 3, True, {})
    assert done["skipped"] == []
    assert not any(is_accepted(node_url, client_id, former) for client_id, former in team.items())
    assert signed_in.ok("rotate", *options, "--yes").out == "No client has such a secret.\n", "continued"


def test_it_stops_after_the_first_clients_if_they_do_not_use_their_new_secrets(
    signed_in: Program, team: dict[str, str]
) -> None:
    stopped = signed_in.run("rotate", *chosen(team), "--yes", "--canary", "1", "--canary-wait", "1")
    assert stopped.code == 1
    assert stopped.out.startswith("1 of 3 rotations begun.\n")
    rotation = signed_in.run("rotations", "list", "--client", min(team), "--json").json[0]["id"]
    assert f"{min(team)}: see keyturn rotations show {rotation}\n" in stopped.err
    assert "stopped: 1 of the first 1 clients do not use their new secret; these first clients" in stopped.err


def test_the_others_follow_once_the_first_client_uses_its_new_secret(
    signed_in: Program, node_url: str, team: dict[str, str]
) -> None:
    first = min(team)

    def use() -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            shown = signed_in.run_program("secrets", "show", first, "--value").out.strip()
            if shown != team[first] and is_accepted(node_url, first, shown):
                return

    with ThreadPoolExecutor(1) as thread:
        used = thread.submit(use)
        ended = signed_in.run_program(
            "rotate", *chosen(team), "--yes", "--canary", "1", "--canary-wait", "50"
        )
        used.result()
    assert ended.code == 0, ended
    assert ended.out.startswith("3 of 3 rotations begun.\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--compromised", "--canary", "1"), "it takes no --canary"),
        (("--created-before", "2999-01-01"), "on the server it is only 20"),
        (("--created-before", "soon"), "soon is not a time"),
    ],
)
def test_wrong_use_changes_nothing(signed_in: Program, options: tuple[str, ...], said: str) -> None:
    refused = signed_in.run("rotate", "--search", "nobody", *options, "--yes")
    assert refused.code == 2
    assert said in refused.err


def test_nobody_is_rotated(signed_in: Program) -> None:
    done = signed_in.run("rotate", "--search", "nobody", "--json").json
    assert (done["selected"], done["rotated"], done["skipped"], done["safe"]) == (0, 0, [], None)


def test_the_administrators_own_client_is_left_out(signed_in: Program) -> None:
    shown = signed_in.ok("rotate", "--realm", "master", "--dry-run", "--json")
    assert ADMIN_ID not in [each["client_id"] for each in json.loads(shown.out)]
    assert "your own client, which you are signed in with, is left out" in shown.err
    done = signed_in.ok("rotate", "--realm", "master", "--search", ADMIN_ID, "--compromised", "--yes")
    assert done.out == "No client has such a secret.\n"
