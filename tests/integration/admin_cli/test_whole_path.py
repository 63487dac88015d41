"""The program itself, from the sign-in to a client whose former secret no node accepts."""

import stat

import httpx

from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET
from tests.testkit.program import Program

TOKEN = "/realms/acme/protocol/openid-connect/token"


def test_an_administrator_signs_in_makes_a_client_and_replaces_its_secret(
    program: Program, url: str, node_url: str
) -> None:
    signed_in = program.run_program(
        *("login", url, "--client-id", ADMIN_ID, "--secret-stdin", "--default-realm", "acme"),
        stdin=ADMIN_SECRET,
    )
    assert (signed_in.code, signed_in.err) == (0, "")
    assert signed_in.out.startswith(f"Signed in to {url} as {ADMIN_ID}")
    (profile,) = program.profiles
    assert stat.S_IMODE(profile.stat().st_mode) == 0o600
    assert ADMIN_SECRET not in profile.read_text()

    created = program.run_program("clients", "create", "shop", "--json")
    assert created.json["safe"] is True
    assert created.json["fleet"] == {"known": True, "nodes": 1, "applied": 1, "fenced": 0, "pending": 0}
    former = created.json["secret"]
    assert _status(node_url, former) == 200

    changed = program.run_program("secrets", "regenerate", "shop")
    assert changed.code == 0, changed
    shown, *rest = changed.out.splitlines()
    assert rest == ["shop has a new secret", "Safe now: 1 of 1 node applied it"]
    assert _status(node_url, former) == 401
    assert _status(node_url, shown.removeprefix("Secret: ")) == 200

    deleted = program.run("clients", "delete", "shop", "--yes")
    assert deleted.out == "Deleted shop\nSafe now: 1 of 1 node applied it\n"
    assert program.run("clients", "show", "shop").code == 1
    assert program.ok("logout").out.startswith(f"Signed out of {url}")
    assert program.profiles == []
    assert program.run("realms").code == 3


def _status(node_url: str, secret: str) -> int:
    form = {"grant_type": "client_credentials"}
    return httpx.post(f"{node_url}{TOKEN}", data=form, auth=("shop", secret), trust_env=False).status_code
