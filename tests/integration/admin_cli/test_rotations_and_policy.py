"""Rotations and policies from the command line."""

import json
import time
from pathlib import Path

import httpx

from keyturn_shared.jose.signing import SigningKey
from tests.testkit.program import Program

TOKEN = "/realms/acme/protocol/openid-connect/token"


def test_a_rotation_is_started_watched_and_done_once_the_client_uses_its_new_secret(
    signed_in: Program, node_url: str
) -> None:
    signed_in.ok("clients", "create", "rotated")
    signed_in.ok(
        "policy", "set", "expiration-period=90d", "rotated-expiration-period=0", "--client", "rotated"
    )
    begun = signed_in.run("rotations", "start", "rotated", "--json").json["rotation"]
    assert (begun["client_id"], begun["state"]) == ("rotated", "prepared")
    confirmed = signed_in.ok("rotations", "delivered", begun["id"]).out
    assert confirmed.startswith(f"Rotation {begun['id']} of rotated: ")
    assert signed_in.run("rotations", "watch", begun["id"], "--timeout", "0").code == 4
    secret = signed_in.ok("secrets", "show", "rotated", "--value").out.strip()
    form = {"grant_type": "client_credentials"}
    used = httpx.post(f"{node_url}{TOKEN}", data=form, auth=("rotated", secret), trust_env=False)
    assert used.status_code == 200, used.text
    watched = signed_in.ok("rotations", "watch", begun["id"])
    states = [line.split()[2] for line in watched.out.splitlines()]
    assert states[:2] == ["planned", "prepared"]
    assert states[-3:] == ["in_use", "retired", "done"]
    shown = signed_in.ok("rotations", "show", begun["id"]).out
    assert "state        done\n" in shown


def test_a_rotation_is_paused_resumed_and_cancelled(signed_in: Program) -> None:
    signed_in.ok("clients", "create", "steered")
    begun = signed_in.run("rotations", "start", "steered", "--json").json["rotation"]["id"]
    assert "prepared (paused), waits for person" in signed_in.ok("rotations", "pause", begun).out
    listed = signed_in.ok("rotations", "list", "--state", "open", "--client", "steered").out.splitlines()
    assert len(listed) == 2
    assert listed[1].split()[:4] == [begun, "steered", "prepared", "(paused)"]
    signed_in.ok("rotations", "resume", begun)
    assert "rolled_back" in signed_in.ok("rotations", "cancel", begun).out
    assert signed_in.run("rotations", "watch", begun).code == 1
    refused = signed_in.run("rotations", "cancel", begun)
    assert refused.code == 1
    assert refused.err.startswith("keyturn: ")
    assert begun in [each["id"] for each in signed_in.run("rotations", "list", "--json").json]
    assert (
        signed_in.ok("rotations", "list", "--client", "steered", "--state", "open").out == "No rotations.\n"
    )


def test_a_compromised_secret_ends_at_once(signed_in: Program) -> None:
    former = signed_in.run("clients", "create", "stolen", "--json").json["secret"]
    begun = signed_in.run("rotations", "start", "stolen", "--compromised", "--json").json
    assert (begun["rotation"]["reason"], begun["safe"]) == ("compromised", True)
    shown = signed_in.run("secrets", "show", "stolen", "--json").json
    assert (shown["former_secret"], shown["secret"] != former) == (None, True)


def test_a_policy_is_set_shown_and_checked(signed_in: Program) -> None:
    signed_in.ok("clients", "create", "by-policy")
    of_client = ("--client", "by-policy")
    done = signed_in.ok("policy", "set", "expiration-period=30d", "automatic=false", "jitter=2h", *of_client)
    assert done.out.splitlines()[0] == "Set the policy of client by-policy"
    assert signed_in.run("policy", "show", *of_client, "--json").json == {
        "expiration-period": "2592000",
        "automatic": "false",
        "jitter": "7200",
    }
    deadline = time.monotonic() + 60  # a secret that was there before gets its expiry within seconds
    while (checked := signed_in.run("policy", "check")).code == 0:
        assert time.monotonic() < deadline, checked
        time.sleep(0.3)
    assert checked.code == 1
    assert "by-policy" in checked.out
    assert "EXPIRES: the client is locked out" in checked.out
    assert "by-policy" in signed_in.ok("rotations", "plan", "--days", "60").out
    signed_in.ok("policy", "set", "automatic=", "jitter=", *of_client)
    heads, rule = signed_in.ok("policy", "show", *of_client).out.splitlines()
    assert heads.split() == ["RULE", "VALUE", "SET", "FOR"]
    assert rule.split() == ["expiration-period", "2592000", "client"]
    assert signed_in.ok("policy", "check").out == "No client is locked out within 90 days\n"


def test_an_invalid_policy_is_refused_and_changes_nothing(signed_in: Program) -> None:
    refused = signed_in.run("policy", "set", "window=never", "max-at-once=3")
    assert refused.code == 1
    assert "keyturn.rotation.window" in refused.err
    assert signed_in.run("policy", "set", "colour=blue").code == 2
    assert signed_in.ok("policy", "show").out == "No policy: no secret expires or rotates.\n"


def test_a_key_is_rotated(signed_in: Program, tmp_path: Path) -> None:
    first, second = SigningKey.generate("ES256"), SigningKey.generate("ES256")
    present = tmp_path / "jwks.json"
    present.write_text(json.dumps({"keys": [first.public_jwk]}))
    signed_in.ok("clients", "create", "signing", "--authenticator", "client-jwt")
    signed_in.ok("keys", "import", "signing", str(present))
    private, public = tmp_path / "private.jwk", tmp_path / "public.jwk"
    private.write_bytes(second.export_private_jwk())
    public.write_text(json.dumps(second.public_jwk))
    refused = signed_in.run("rotations", "start", "signing", "--jwk", str(private))
    assert (refused.code, "has a private key; nothing was sent" in refused.err) == (2, True)
    begun = signed_in.run("rotations", "start", "signing", "--jwk", str(public), "--json").json["rotation"]
    assert (begun["kind"], begun["state"], len(begun["keys"]["successors"])) == ("key", "prepared", 1)
    assert "rolled_back" in signed_in.ok("rotations", "cancel", begun["id"]).out
    asked = signed_in.run("rotations", "start", "signing", "--key", "--json").json["rotation"]
    assert (asked["kind"], asked["state"]) == ("key", "planned")


def test_a_rotation_whose_next_key_is_revoked_fails_and_says_why(signed_in: Program, tmp_path: Path) -> None:
    first, second = SigningKey.generate("ES256"), SigningKey.generate("ES256")
    present, following = tmp_path / "jwks.json", tmp_path / "public.jwk"
    present.write_text(json.dumps({"keys": [first.public_jwk]}))
    following.write_text(json.dumps(second.public_jwk))
    signed_in.ok("clients", "create", "failing", "--authenticator", "client-jwt")
    signed_in.ok("keys", "import", "failing", str(present))
    begun = signed_in.run("rotations", "start", "failing", "--jwk", str(following), "--json").json["rotation"]
    (successor,) = begun["keys"]["successors"]
    signed_in.ok("keys", "revoke", "failing", successor)
    watched = signed_in.run("rotations", "watch", begun["id"])
    assert watched.code == 1
    detail = "The new key was revoked or removed while the former one was accepted."
    assert watched.out.splitlines()[-1] == f"Failed: {detail}"
    assert f"successor_revoked: {detail}" in signed_in.ok("rotations", "show", begun["id"]).out
    assert "successor_revoked" in signed_in.ok("rotations", "list", "--client", "failing").out
    assert signed_in.run("rotations", "list", "--state", "failed", "--json").json[0]["id"] == begun["id"]
