"""A secret in Vault's KV engine, with a server that checks versions, logins and content types."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from keyturn.agent.sinks.settings import AppRole, KubernetesLogin, VaultSettings
from keyturn.agent.sinks.vault import VaultSink
from tests.integration.agent.kv import Vault
from tests.integration.agent.runs import CLIENT, FIRST, SECOND, Run
from tests.testkit.http_receiver import Answer, Request
from tests.testkit.private_ca import private_ca


@pytest.fixture
def vault() -> Iterator[Vault]:
    with Vault() as vault:
        yield vault


def run_of(vault: Vault, directory: Path, **changes: Any) -> Run:
    if not changes.keys() & {"approle", "kubernetes", "token_file"}:
        token = directory / "vault-token"
        token.write_text(vault.tokens[0])
        changes["token_file"] = str(token)
    settings = VaultSettings(**{"address": vault.url, "path": "orders", **changes})
    return Run(VaultSink(settings, CLIENT), directory)


def written(vault: Vault) -> list[tuple[str, Any]]:
    return [(each.method, each.json()) for each in vault.requests if each.method in ("POST", "PATCH")]


async def test_the_first_version_is_made_and_later_ones_change_only_their_fields(
    vault: Vault, tmp_path: Path
) -> None:
    run = run_of(vault, tmp_path, data={"client_secret": "secret", "id": "client_id"})
    await run.look()
    assert vault.versions == [{"client_secret": FIRST, "id": "orders"}]
    run.secret.use(SECOND)
    assert (await run.look())["current"] is True
    assert vault.newest == {"client_secret": SECOND, "id": "orders"}
    assert [(method, body["options"]) for method, body in written(vault)] == [
        ("POST", {"cas": 0}),
        ("PATCH", {"cas": 1}),
    ]


@pytest.mark.parametrize("can_patch", [True, False, None])
async def test_fields_of_others_are_kept_whether_the_server_can_patch_or_not(
    vault: Vault, tmp_path: Path, can_patch: bool | None, caplog: pytest.LogCaptureFixture
) -> None:
    vault.can_patch = can_patch
    vault.write({"other": {"deep": [1, 2]}, "client_secret": "old"})
    run = run_of(vault, tmp_path)
    await run.look()
    assert vault.newest == {"other": {"deep": [1, 2]}, "client_secret": FIRST}
    assert caplog.records == []
    vault.write({"other": "theirs", "client_secret": "by hand"})
    run.restart()
    run.secret.use(SECOND)
    await run.look()
    assert vault.newest == {"other": "theirs", "client_secret": SECOND}
    (told,) = (record.getMessage() for record in caplog.records)
    assert told.startswith("vault:secret/orders: version 3 is not the agent's, which was 2;")
    assert "by hand" not in told


@pytest.mark.parametrize("can_patch", [True, False])
async def test_a_write_at_the_same_moment_is_not_overwritten(
    vault: Vault, tmp_path: Path, can_patch: bool
) -> None:
    vault.can_patch = can_patch
    vault.write({"other": 1})
    run = run_of(vault, tmp_path)

    answer = vault._answer

    def write_in_between(request: Request) -> Answer:
        if request.method == "GET" and "/metadata/" in request.target:
            before = answer(request)
            vault.write({"other": 2})
            vault.rules = answer
            return before
        return answer(request)

    vault.rules = write_in_between
    status = await run.look()
    assert status["last_error"] == "somebody else has written a version at the same moment"
    assert vault.versions == [{"other": 1}, {"other": 2}]
    assert (await run.look(after=1))["current"] is True
    assert vault.newest == {"other": 2, "client_secret": FIRST}


async def test_a_deleted_version_is_followed_by_a_new_one(vault: Vault, tmp_path: Path) -> None:
    vault.versions = [{"other": 1}, None]
    await run_of(vault, tmp_path).look()
    assert vault.versions == [{"other": 1}, None, {"client_secret": FIRST}]


async def test_a_login_with_approle_is_kept_until_its_token_is_refused(vault: Vault, tmp_path: Path) -> None:
    secret_id = tmp_path / "secret-id"
    secret_id.write_text("the secret id\n")
    vault.logins["approle"] = {"role_id": "orders", "secret_id": "the secret id"}
    run = run_of(vault, tmp_path, approle=AppRole(role_id="orders", secret_id_file=str(secret_id)))
    await run.look()
    run.secret.use(SECOND)
    assert (await run.look())["current"] is True
    assert sum(each.target.endswith("/login") for each in vault.requests) == 1
    vault.tokens = ["hvs.another"]
    run.secret.use(FIRST)
    assert (await run.look())["last_error"] == "the metadata answers 403"
    assert (await run.look(after=1))["current"] is True
    assert vault.newest == {"client_secret": FIRST}


async def test_a_login_with_a_service_account_in_a_namespace_over_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    authority, context = private_ca(tmp_path / "tls")
    (tmp_path / "jwt").write_text("the service account's token")
    with Vault("kv/shop/orders", context) as vault:
        vault.namespace = "team/shop"
        vault.logins["k8s"] = {"role": "orders", "jwt": "the service account's token"}
        login = KubernetesLogin(role="orders", token_file=str(tmp_path / "jwt"), mount="k8s")
        run = run_of(
            vault,
            tmp_path,
            mount="kv",
            path="shop/orders",
            namespace="team/shop",
            kubernetes=login,
            ca_file=str(authority),
        )
        assert await run.look() == {"current": True, "last_success": int(run.time), "last_error": None}
        assert run.runner.status.label == "vault:team/shop/kv/shop/orders"
        assert vault.newest == {"client_secret": FIRST}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(403, {"errors": [FIRST]}), "the metadata answers 403"),
        (Answer(503, {"errors": ["Vault is sealed"]}), "the metadata answers 503"),
        (Answer(307, None, {"Location": "/"}), "the metadata answers 307: redirects are not followed"),
        (Answer(200, ["no Vault"]), "the metadata answers with something that is not Vault's"),
        (Answer(200, b"[" * 100_000), "the metadata answers with something that is not Vault's"),
        (Answer(200, {"data": {}}), "the response has no current_version"),
        (Answer(204), "the metadata answers 204: secret is no KV engine of version 2"),
    ],
)
async def test_a_refusal_is_tried_again_and_its_text_is_not_repeated(
    vault: Vault, tmp_path: Path, caplog: pytest.LogCaptureFixture, answer: Answer, told: str
) -> None:
    vault.first = [answer] * 2
    run = run_of(vault, tmp_path)
    with caplog.at_level(logging.DEBUG):
        for pause in (0, 1):
            assert (await run.look(after=pause))["last_error"] == told
        assert (await run.look(after=2))["current"] is True
    assert not any(each in caplog.text for each in (FIRST, vault.tokens[0]))


async def test_a_login_that_is_refused_or_strange_is_told(vault: Vault, tmp_path: Path) -> None:
    run = run_of(vault, tmp_path, approle=AppRole(role_id="orders"))
    assert (await run.look())["last_error"] == "the login at approle answers 400"
    bodies: list[Any] = [{"auth": None}, {"auth": {"client_token": "a\nb"}}, [], b"[" * 100_000]
    for body in bodies:
        vault.first = [Answer(200, body)]
        run.restart()
        assert (await run.look())["last_error"] == "the response to the login has no token"
