"""``keyturn rotate`` with a real service and node."""

import time

import httpx
import pytest

from tests.integration.admin_cli.program import Program

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
    return created


def chosen(team: dict[str, str], *, within: int = 1) -> list[str]:
    """Return the options that choose these clients, and what is made for them within these seconds."""
    name = next(iter(team)).rpartition("-")[0]
    return ["--query", f"campaign:{name}", "--created-before", str(int(time.time()) + within)]


def is_accepted(node_url: str, client_id: str, secret: str) -> bool:
    form = {"grant_type": "client_credentials"}
    answer = httpx.post(f"{node_url}{TOKEN}", data=form, auth=(client_id, secret), trust_env=False)
    assert answer.status_code in (200, 401), answer.text
    return answer.status_code == 200


def test_it_is_shown_first_asked_for_and_then_done(
    signed_in: Program, node_url: str, team: dict[str, str]
) -> None:
    options = chosen(team, within=3600)
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
    again = signed_in.ok("rotate", *options, "--yes").out
    assert again.startswith("0 of 3 rotations begun, 3 were under way before.\n")


def test_a_compromised_vault_is_one_call(signed_in: Program, node_url: str, team: dict[str, str]) -> None:
    options = chosen(team)
    time.sleep(1.1)  # a secret's time of creation has whole seconds
    done = signed_in.run("rotate", *options, "--compromised", "--yes", "--json").json
    assert (done["selected"], done["rotated"], done["safe"], done["failed"]) == (3, 3, True, {})
    assert not any(is_accepted(node_url, client_id, former) for client_id, former in team.items())
    assert signed_in.ok("rotate", *options, "--yes").out == "No client has such a secret.\n", "continued"


def test_it_stops_after_the_first_clients_if_they_do_not_use_their_new_secrets(
    signed_in: Program, team: dict[str, str]
) -> None:
    stopped = signed_in.run("rotate", *chosen(team), "--yes", "--canary", "1", "--canary-wait", "1")
    assert stopped.code == 1
    assert stopped.out.startswith("1 of 3 rotations begun.\n")
    assert "stopped: 1 of the first 1 clients do not use their new secret; the same command" in stopped.err
