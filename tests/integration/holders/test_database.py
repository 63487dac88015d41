"""An attacker reads or writes the database, without any of keyturn's keys."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from keyturn_credentials.audit_access import examine_audit
from keyturn_credentials.domain.audit_chain.checking import Problem
from keyturn_shared.clock import SystemClock
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.sealing import KeyRing, SealError
from tests.testkit.admin_api import ADMIN_SECRET
from tests.testkit.administrators import SECRET, WORKERS, Scene
from tests.testkit.nodes import ASSERTION_TYPE, assertion, eventually

HIS = SigningKey.generate("ES256")
THEIRS = SigningKey.generate("ES256")


def opened(directory: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(directory / "keyturn.db", timeout=30, isolation_level=None))


def with_key(key: SigningKey) -> dict[str, str]:
    return {"use.jwks.string": "true", "jwks.string": json.dumps({"keys": [key.public_jwk]})}


def by_key(scene: Scene, realm: str, client_id: str, key: SigningKey) -> dict[str, str]:
    base_url = scene.api.settings.base_url
    signed = assertion(key, client_id, realm, aud=f"{base_url}/realms/{realm}")
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}


async def test_who_reads_the_database_finds_no_secret_but_the_audit_log_and_changes_nothing(
    scene: Scene, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(f"file:{tmp_path}/keyturn.db?mode=ro", uri=True, timeout=30)) as database:
        text = "\n".join(database.iterdump())
        audit = list(database.execute("SELECT * FROM audit"))
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            database.execute("DELETE FROM audit")
    assert any("by-secret" in str(entry) for entry in audit)
    for secret in (SECRET, WORKERS, ADMIN_SECRET):
        assert secret not in text
    assert '"d":' not in text.replace(" ", "")
    sealed = set(re.findall(r"\b1\.[0-9a-f]{8}\.[A-Za-z0-9_-]{40,}", text))
    kids = set(re.findall(r'"kid": ?"([^"]+)"', text))
    assert len(sealed) > 5
    for purpose in ("encryption", "fleet"):
        stranger = KeyRing.from_text(KeyRing.generate_key(), purpose=purpose)
        for value in sealed:
            for context in (*(f"signing-key:{kid}" for kid in kids), "client-secret"):
                with pytest.raises(SealError):
                    stranger.open(value, context)


async def test_who_writes_to_the_database_makes_himself_the_administrator_of_everything(
    scene: Scene, tmp_path: Path
) -> None:
    """Every secret is readable through the admin API too: the service trusts the database."""
    await scene.api.create("/master/clients", {"clientId": "nobody"})
    attributes = with_key(HIS) | {"keyturn.admin.roles": "admin"}
    with opened(tmp_path) as database:
        database.execute(
            "UPDATE clients SET authenticator = 'client-jwt', attributes = ? WHERE client_id = 'nobody'",
            [json.dumps(attributes)],
        )
    answer = await scene.token_from_service("master", by_key(scene, "master", "nobody", HIS))
    assert answer.status_code == 200, answer.text
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    listed = await scene.api.http.get("/admin/realms/acme/clients", headers=bearer)
    assert WORKERS in listed.text


async def test_who_writes_to_the_database_undoes_a_revocation_with_the_next_change_of_the_client(
    scene: Scene, tmp_path: Path
) -> None:
    """A projection is signed when the service makes a change, from what the database then contains."""
    client = await scene.make("revoked", "client-jwt", attributes=with_key(THEIRS))
    await scene.change("POST", f"/acme/clients/{client}/keys/{THEIRS.kid}/revoke")
    refused = await scene.token_from_node("acme", by_key(scene, "acme", "revoked", THEIRS))
    assert refused.status_code == 401
    with opened(tmp_path) as database:
        database.execute("UPDATE clients SET revoked_keys = '{}' WHERE client_id = 'revoked'")
    still = await scene.token_from_node("acme", by_key(scene, "acme", "revoked", THEIRS))
    assert still.status_code == 401
    await scene.change("PUT", f"/acme/clients/{client}", json={"description": "changed"})

    async def accepted() -> bool:
        answer = await scene.token_from_node("acme", by_key(scene, "acme", "revoked", THEIRS))
        return answer.status_code == 200

    await eventually(accepted, 30.0)


async def test_who_writes_to_the_database_and_to_the_audit_log_is_found(scene: Scene, tmp_path: Path) -> None:
    """The admin API shows what the database has; the chain shows that it is not what was written."""
    before = (await scene.api.call("GET", "/acme/audit")).json()
    assert before

    async def chained() -> bool:
        report = await examine_audit(scene.api.settings, SystemClock())
        return report.chained > 0 and report.unchained == 0

    await eventually(chained, 30.0)
    report = await examine_audit(scene.api.settings, SystemClock())
    assert report.is_good, report.findings
    with opened(tmp_path) as database:
        database.execute("DELETE FROM audit WHERE id = ?", [before[0]["id"]])
    assert before[0] not in (await scene.api.call("GET", "/acme/audit")).json()
    assert not (await examine_audit(scene.api.settings, SystemClock())).is_good
    with opened(tmp_path) as database:
        database.execute("DELETE FROM audit")
    assert (await scene.api.call("GET", "/acme/audit")).json() == []
    assert (await examine_audit(scene.api.settings, SystemClock(), report.head)).problems[Problem.CUT_OFF]


async def test_who_writes_to_the_database_withholds_an_event_and_no_wait_says_that_it_was_applied(
    scene: Scene, tmp_path: Path
) -> None:
    client = await scene.make("revoked", "client-jwt", attributes=with_key(THEIRS))
    with opened(tmp_path) as database:
        database.execute(
            "CREATE TRIGGER withholds AFTER INSERT ON events BEGIN"
            " DELETE FROM events WHERE sequence = NEW.sequence; END"
        )
    path = f"/acme/clients/{client}/keys/{THEIRS.kid}/revoke"
    answer = await scene.api.call("POST", path, headers={"Prefer": "wait=2"})
    assert "preference-applied" not in answer.headers
    told = await scene.token_from_node("acme", by_key(scene, "acme", "revoked", THEIRS))
    assert told.status_code != 401, "the node has not heard of it"


async def test_who_deletes_a_realm_from_the_database_ends_its_service(scene: Scene, tmp_path: Path) -> None:
    with opened(tmp_path) as database:
        database.execute("DELETE FROM realms WHERE name = 'acme'")
    assert (await scene.api.call("GET", "/acme/clients")).status_code == 404
