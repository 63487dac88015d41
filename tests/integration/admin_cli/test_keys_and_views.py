"""Keys, the fleet and the logs from the command line."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

from keyturn_credentials.keystores import KeyPairKind, generate_key_pair, self_signed_certificate
from keyturn_shared.jose.signing import SigningKey
from tests.testkit.local_stack import eventually
from tests.testkit.program import Program
from tests.testkit.tools import REPOSITORY


def test_keys_are_imported_listed_and_revoked(signed_in: Program, tmp_path: Path) -> None:
    signed_in.ok("clients", "create", "keyed", "--authenticator", "client-jwt")
    assert signed_in.ok("keys", "list", "keyed").out == "No keys.\n"
    key = SigningKey.generate(kid="kid-1")
    file = tmp_path / "jwks.json"
    file.write_bytes(b'{"keys": [%b]}' % key.export_private_jwk())
    refused = signed_in.run("keys", "import", "keyed", str(file))
    assert (refused.code, "private key" in refused.err) == (2, True)
    file.write_text(json.dumps({"keys": [key.public_jwk]}))
    imported = signed_in.ok("keys", "import", "keyed", str(file))
    assert imported.out == "Imported the keys of keyed\nSafe now: 1 of 1 node applied it\n"
    (listed,) = signed_in.run("keys", "list", "keyed", "--json").json
    assert (listed["kid"], listed["source"], listed["revoked_at"]) == ("kid-1", "jwks", None)
    thumbprint = key.verification_key.thumbprint
    signed_in.ok("keys", "revoke", "keyed", thumbprint)
    assert signed_in.run("keys", "list", "keyed", "--json").json[0]["revoked_at"] is not None
    assert thumbprint in signed_in.ok("keys", "list", "keyed").out


@pytest.mark.parametrize("made_by", ["OpenSSL", "cryptography"])
def test_an_archive_with_an_empty_password_is_imported(
    signed_in: Program, tmp_path: Path, made_by: str
) -> None:
    client, name = f"without-password-{made_by}", b"P-256"
    signed_in.ok("clients", "create", client, "--authenticator", "client-jwt")
    archive, password = tmp_path / "keys.p12", tmp_path / "password"
    if made_by == "OpenSSL":
        archive.write_bytes((REPOSITORY / "tests/testkit/openssl_archives/empty-password.p12").read_bytes())
    else:
        key = generate_key_pair(KeyPairKind.P_256)
        made = self_signed_certificate(key, client, now=datetime.now(UTC))
        archive.write_bytes(
            pkcs12.serialize_key_and_certificates(name, key.reveal(), made, None, NoEncryption())
        )
    password.write_text("\n")
    words = ("keys", "import", client, str(archive), "--password-file", str(password))
    assert signed_in.ok(*words).out.startswith(f"Imported the keys of {client}\n")
    (listed,) = signed_in.run("keys", "list", client, "--json").json
    assert listed["source"] == "certificate"


def test_a_key_set_is_imported_as_others_write_it(signed_in: Program, tmp_path: Path) -> None:
    """With a byte order mark, and null for private members that the key lacks; what is skipped is told."""
    signed_in.ok("clients", "create", "as-written", "--authenticator", "client-jwt")
    good = SigningKey.generate(kid="kid-1").public_jwk | {"d": None}
    weak = {"kty": "RSA", "kid": "old", "e": "AQAB", "n": urlsafe_b64encode(b"\xff" * 128).decode()}
    file = tmp_path / "jwks.json"
    file.write_text("\ufeff" + json.dumps({"keys": [good, weak]}))
    imported = signed_in.ok("keys", "import", "as-written", str(file))
    assert "key 1 (old) is skipped: weak: RSA of 1024 bits" in imported.err
    (listed,) = signed_in.run("keys", "list", "as-written", "--json").json
    assert listed["kid"] == "kid-1"


def test_caches_are_cleared_of_one_client_or_of_all(signed_in: Program) -> None:
    signed_in.ok("clients", "create", "cached", "--authenticator", "client-jwt")
    assert signed_in.ok("cache", "clear", "cached").out.startswith("Cleared the keys of cached\n")
    assert signed_in.ok("cache", "clear", "--all").out.startswith("Cleared the keys of all clients")
    assert signed_in.run("cache", "clear").code == 2


def test_the_fleet_shows_its_nodes_and_who_applied_a_change(signed_in: Program) -> None:
    sequence = signed_in.run("clients", "create", "seen-by-all", "--json").json["sequence"]
    heads, node, sentence = signed_in.ok(
        "fleet", "--sequence", str(sequence), "--wait", "30"
    ).out.splitlines()
    assert heads.startswith("NODE ")
    assert node.split()[3] == "held"
    assert sentence == f"Change {sequence}. Safe now: 1 of 1 node applied it"
    assert signed_in.run("fleet", "--sequence", str(sequence + 1000)).code == 4
    assert signed_in.run("fleet", "--json").json["nodes"][0]["lease"] == "held"


def test_events_are_shown_oldest_first(signed_in: Program) -> None:
    signed_in.ok("clients", "create", "logged")
    signed_in.ok("secrets", "regenerate", "logged")
    found = signed_in.run("events", "--client", "logged", "--json").json
    assert [each["client_id"] for each in found] == ["logged", "logged"]
    assert found[0]["sequence"] < found[1]["sequence"]
    (only,) = signed_in.run("events", "--client", "logged", "--type", found[1]["type"], "--json").json
    assert only == found[1]
    assert len(signed_in.ok("events", "--max", "2").out.splitlines()) == 3


def test_new_events_are_followed_until_ctrl_c(signed_in: Program) -> None:
    signed_in.ok("clients", "create", "followed")
    with signed_in.following("events", "--follow", "--json", "--client", "followed") as process:
        assert process.stdout is not None
        made = json.loads(process.stdout.readline())
        signed_in.ok("secrets", "regenerate", "followed")
        changed = json.loads(process.stdout.readline())
    assert made["sequence"] < changed["sequence"]
    assert process.returncode == 130


def test_the_audit_log_says_who_changed_what(signed_in: Program) -> None:
    signed_in.ok("clients", "create", "audited")
    signed_in.ok("secrets", "regenerate", "audited")
    changes = {"client_secret_rotated", "client_created"}
    listed = signed_in.run("audit", "--client", "audited", "--json").json
    newest, first = [each for each in listed if each["action"] in changes]
    assert newest["id"] > first["id"]
    assert newest["actor"] == {"realm": "master", "client_id": "admin"}
    lines = signed_in.ok("audit", "--all", "--json", "--client", "audited").out.splitlines()
    assert [each for line in lines if (each := json.loads(line))["action"] in changes] == [newest, first]
    assert signed_in.ok("audit", "--client", "audited", "--until", "2020-01-01").out == "No entries.\n"
    rotated = ("audit", "--client", "audited", "--action", "client_secret_rotated")
    assert len(signed_in.ok(*rotated, "--since", "2020-01-01").out.splitlines()) == 2
    assert len(signed_in.ok(*rotated, "--all").out.splitlines()) == 1


def test_realms_are_listed(signed_in: Program) -> None:
    assert [each["realm"] for each in signed_in.run("realms", "--json").json] == ["acme", "master"]
    assert signed_in.ok("realms").out.splitlines()[1].split()[0] == "acme"


def test_shells_get_their_script(signed_in: Program) -> None:
    for shell, sign in (("bash", "complete -o"), ("zsh", "#compdef keyturn"), ("fish", "complete --command")):
        assert sign in signed_in.ok("completion", shell).out


def test_why_a_client_was_refused_by_a_node_is_shown(signed_in: Program, node_url: str) -> None:
    signed_in.ok("clients", "create", "refused")
    assert signed_in.ok("clients", "refusals", "refused").out == "No refusals are known.\n"
    url = f"{node_url}/realms/acme/protocol/openid-connect/token"
    form = {"grant_type": "client_credentials"}
    answer = httpx.post(url, data=form, auth=("refused", "a-wrong-secret"), trust_env=False)
    assert answer.status_code == 401
    found = eventually(lambda: signed_in.run("clients", "refusals", "refused", "--json").json)
    assert [(each["code"], each["method"]) for each in found] == [("wrong_secret", "client_secret_basic")]
    assert "wrong_secret" in signed_in.ok("clients", "refusals", "refused").out
