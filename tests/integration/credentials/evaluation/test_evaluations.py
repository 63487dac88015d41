"""An evaluation says step by step what would happen, has no effect, and confirms no secret to whoever may not
see it."""

from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from keyturn_credentials.web.evaluation import (
    EVALUATIONS_AT_ONCE,
    MAX_BODY_BYTES,
    SECRETS_AT_ONCE,
)
from tests.integration.credentials.evaluation.scene import (
    API,
    ISSUER,
    KEY,
    REALM,
    SECRET,
    URL_KEY,
    WAIT,
    Scene,
    failed,
    results,
    signed,
    signed_with_secret,
)
from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET, AdminApi, running, settings_for
from tests.testkit.jwks_server import Page
from tests.testkit.nodes import ASSERTION_TYPE, eventually, good_claims

WRONG = "a wrong secret that is long enough as well"
CLUSTER = {"alias": "cluster", "providerId": "kubernetes"}
ACCOUNT = "system:serviceaccount:shop:orders"


async def _traces(scene: Scene) -> dict[str, Any]:
    """Return everything that a request could leave behind, without what reading this leaves a while later."""
    paths = (
        f"{scene.path('by-secret')}/usage",
        f"{scene.path('by-key')}/usage",
        f"{scene.path('by-secret')}/refusals",
        f"{scene.path('by-key')}/refusals",
        f"/{REALM}/audit",
        f"/{REALM}/event-log",
        scene.path("by-key"),
    )
    found = {path: (await scene.api.call("GET", path)).json() for path in paths}
    audited = f"/{REALM}/audit"
    found[audited] = [entry for entry in found[audited] if entry["action"] != "secret_shown"]
    return found


async def test_it_has_no_effect(scene: Scene, redis: Redis) -> None:
    assertion = signed("by-key")
    token = await scene.token(resource=API)

    async def is_noted() -> bool:
        usage = (await scene.api.call("GET", f"{scene.path('by-secret')}/usage")).json()
        return usage["secret"] is not None

    await eventually(is_noted)
    before, marks = await _traces(scene), await redis.keys("kt:*jti*")
    for client_id, members in (
        ("by-secret", {"client_secret": SECRET}),
        ("by-secret", {"client_secret": WRONG}),
        ("by-secret", {"access_token": token}),
        ("by-key", {"client_assertion": assertion}),
        ("by-key", {"client_assertion": assertion}),
        ("by-key", {"client_assertion": signed("by-key", aud="https://other")}),
        ("by-key", {}),
    ):
        answer = await scene.ask(client_id, **members)
        assert answer.status_code == 200
        assert "keyturn-sequence" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
    assert await _traces(scene) == before
    assert await redis.keys("kt:*jti*") == marks
    assert await scene.sent_to_the_node("by-key", {"client_assertion": assertion}) == (True, "accepted")


async def test_nothing_pasted_is_logged_or_echoed(scene: Scene, capfd: pytest.CaptureFixture[str]) -> None:
    token = await scene.token()
    pasted: list[dict[str, str]] = [
        {"client_secret": SECRET},
        {"client_secret": WRONG},
        {"client_assertion": WRONG},
        {"client_assertion": f"{WRONG}.{WRONG}.{WRONG}"},
        {"access_token": WRONG},
        {"access_token": token},
        {"client_assertion": signed_with_secret("by-secret", WRONG)},
        {"client_secret": WRONG, "client_assertion": WRONG},
        {"client_secret": WRONG * 100},
        {WRONG: WRONG},
        {"authentication_method": WRONG},
        {"client_assertion_type": WRONG},
    ]
    capfd.readouterr()
    for members in pasted:
        answer = await scene.ask("by-secret", **members)
        for value in (WRONG, SECRET, token.rpartition(".")[2]):
            assert value not in answer.text
    said = "".join(capfd.readouterr())
    assert not any(value in said for value in (WRONG, SECRET, token))


async def test_without_a_credential_it_shows_the_token(scene: Scene) -> None:
    evaluation = await scene.evaluation("by-secret", scope="orders.read", audience=[API])
    assert evaluation["accepted"]
    claims = evaluation["token"]["claims"]
    assert (claims["iss"], claims["aud"], claims["client_id"]) == (ISSUER, API, "by-secret")
    assert "orders.read" in claims["scope"].split()
    assert results(evaluation) == {
        **dict.fromkeys(("realm", "client", "client_enabled", "credential"), "passed"),
        "authentication": "skipped",
        **dict.fromkeys(("service_account", "scope", "resource", "token"), "passed"),
    }


async def test_checks_after_a_failed_one_are_skipped(scene: Scene) -> None:
    evaluation = await scene.evaluation("by-key", client_assertion=signed("by-key", iss="someone"))
    assert [step["result"] for step in evaluation["steps"]] == ["passed"] * 10 + ["failed"] + ["skipped"] * 9
    step = failed(evaluation)
    assert step["check"] == "issuer"
    assert "by-key" in step["detail"]
    assert evaluation["token"] is None


async def test_a_client_without_a_usable_credential_or_a_disabled_realm_can_only_be_refused(
    scene: Scene,
) -> None:
    made: dict[str, Any] = {"clientId": "keyless", "clientAuthenticatorType": "client-jwt"}
    scene.uuids["keyless"] = await scene.api.create(f"/{REALM}/clients", made)
    assert failed(await scene.evaluation("keyless"))["check"] == "credential"
    await scene.change("POST", f"{scene.path('by-key')}/keys/{KEY.verification_key.thumbprint}/revoke")
    evaluation = await scene.evaluation("by-key")
    assert (failed(evaluation)["check"], failed(evaluation)["code"]) == ("credential", "key_revoked")
    elsewhere = {"jwt.credential.issuer": "nowhere", "jwt.credential.sub": ACCOUNT}
    made = {"clientId": "lost", "clientAuthenticatorType": "federated-jwt", "attributes": elsewhere}
    scene.uuids["lost"] = await scene.api.create(f"/{REALM}/clients", made)
    evaluation = await scene.evaluation("lost")
    assert (failed(evaluation)["check"], failed(evaluation)["code"]) == ("credential", "wrong_issuer")
    await scene.change("PUT", f"/{REALM}", json={"enabled": False})
    evaluation = await scene.evaluation("by-secret", client_secret=SECRET)
    assert (failed(evaluation)["check"], failed(evaluation)["code"]) == ("realm", "unknown_realm")
    members = {"client_secret": SECRET}
    assert (await scene.sent_to_the_node("by-secret", members)) == (False, "unknown_realm")


async def test_what_a_bound_token_needs_besides_is_said(scene: Scene) -> None:
    for attribute in ("dpop.bound.access.tokens", "tls.client.certificate.bound.access.tokens"):
        await scene.change("PUT", scene.path("by-secret"), json={"attributes": {attribute: "true"}})
        evaluation = await scene.evaluation("by-secret", client_secret=SECRET)
        assert evaluation["accepted"]
        assert results(evaluation)["sender_constraint"] == "skipped"


async def test_a_key_that_was_published_just_now_is_found(scene: Scene) -> None:
    """The node fetches again for an unknown kid; so does the evaluation, and the node's keys stay as they
    are."""
    first = {"client_assertion": signed("by-url", URL_KEY)}
    assert await scene.sent_to_the_node("by-url", first) == (True, "accepted")
    scene.server.pages["/keys"] = Page([URL_KEY.public_jwk, KEY.public_jwk])
    evaluation = await scene.evaluation("by-url", client_assertion=signed("by-url", KEY))
    assert evaluation["accepted"], evaluation
    keys = (await scene.api.call("GET", f"{scene.path('by-url')}/keys")).json()
    assert [key["kid"] for key in keys] == ["published"]


async def test_an_assertion_of_an_identity_provider_is_evaluated_like_on_a_node(scene: Scene) -> None:
    issuer = "https://kubernetes.default.svc"
    scene.server.pages["/cluster"] = Page([URL_KEY.public_jwk])
    config = {"jwksUrl": scene.server.url("/cluster"), "issuer": issuer}
    await scene.change("POST", f"/{REALM}/identity-provider/instances", json={**CLUSTER, "config": config})
    attributes = {"jwt.credential.issuer": "cluster", "jwt.credential.sub": ACCOUNT}
    made = {
        "clientId": "federated",
        "clientAuthenticatorType": "federated-jwt",
        "attributes": attributes,
    }
    answer = await scene.change("POST", f"/{REALM}/clients", json=made)
    scene.uuids["federated"] = answer.headers["location"].rpartition("/")[2]

    def stated(**changes: Any) -> dict[str, Any]:
        return {
            "client_assertion": signed("federated", URL_KEY, **{"iss": issuer, "sub": ACCOUNT, **changes})
        }

    unknown = await scene.evaluation("federated", **stated())
    assert failed(unknown)["code"] == "keys_unavailable"
    assert await scene.sent_to_the_node("federated", stated()) == (True, "accepted")
    for members, code in (
        (stated(), "accepted"),
        (stated(sub="system:serviceaccount:shop:other"), "wrong_subject"),
        (stated(iss="https://elsewhere"), "wrong_issuer"),
        (stated(aud="https://elsewhere"), "wrong_audience"),
    ):
        evaluation = await scene.evaluation("federated", **members)
        outcome = await scene.sent_to_the_node("federated", members)
        assert outcome == (code == "accepted", code)
        assert evaluation["accepted"] is (code == "accepted"), evaluation
        if code != "accepted":
            assert failed(evaluation)["code"] == code


async def test_an_administrator_is_evaluated_as_this_service_checks_it(scene: Scene) -> None:
    listed = (await scene.api.call("GET", f"/master/clients?clientId={ADMIN_ID}")).json()
    path = f"/master/clients/{listed[0]['id']}/evaluate"
    good = (await scene.api.call("POST", path, json={"client_secret": ADMIN_SECRET})).json()
    assert good["accepted"], good
    keys = (await scene.api.call("GET", "/master/keys")).json()["keys"]
    purposes = {key["kid"]: key["purpose"] for key in keys}
    assert purposes[good["token"]["header"]["kid"]] == "administrators"
    bad = (await scene.api.call("POST", path, json={"client_secret": WRONG})).json()
    assert failed(bad)["code"] == "wrong_secret"
    form = {"grant_type": "client_credentials", "client_id": ADMIN_ID, "client_secret": ADMIN_SECRET}
    token = "/realms/master/protocol/openid-connect/token"
    issued = (await scene.api.http.post(token, data=form)).json()["access_token"]
    assert (await scene.api.call("POST", path, json={"access_token": issued})).json()["accepted"]


async def test_an_administrators_used_assertion_is_known(scene: Scene) -> None:
    attributes = {
        "keyturn.admin.roles": "view-clients",
        "use.jwks.url": "true",
        "jwks.url": scene.server.url("/keys"),
    }
    made = {"clientId": "signer", "clientAuthenticatorType": "client-jwt", "attributes": attributes}
    scene.uuids["signer"] = await scene.api.create(f"/{REALM}/clients", made)
    assertion = signed("signer", URL_KEY)
    for _ in range(2):
        assert (await scene.evaluation("signer", client_assertion=assertion))["accepted"]
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    path = f"/realms/{REALM}/protocol/openid-connect/token"
    assert (await scene.api.http.post(path, data=form)).status_code == 200
    evaluation = await scene.evaluation("signer", client_assertion=assertion)
    assert failed(evaluation)["code"] == "replayed"


async def test_a_secret_is_tested_by_those_alone_who_may_see_it(scene: Scene) -> None:
    for name, roles in (
        ("viewer", "view-clients"),
        ("operator", "configure-clients"),
        ("other", "manage-realm"),
    ):
        made = {"clientId": name, "attributes": {"keyturn.admin.roles": roles}}
        await scene.api.create("/master/clients", made)
    by_mac = {"client_assertion": signed_with_secret("by-mac")}
    asked: tuple[tuple[str, dict[str, Any]], ...] = (
        ("by-secret", {}),
        ("by-key", {"client_assertion": signed("by-key")}),
        ("by-secret", {"access_token": await scene.token()}),
        ("by-secret", {"client_secret": SECRET}),
        ("by-secret", {"client_secret": WRONG}),
        ("by-mac", by_mac),
    )
    statuses = {
        caller: [(await scene.ask(client, caller=caller, **members)).status_code for client, members in asked]
        for caller in ("viewer", "operator", "other")
    }
    assert statuses == {"viewer": [200] * 3 + [403] * 3, "operator": [200] * 6, "other": [403] * 6}
    more = {"attributes": {"keyturn.admin.roles": "manage-clients"}}
    await scene.change("PUT", scene.path("by-secret"), json=more)
    refused = await scene.ask("by-secret", caller="operator", client_secret=SECRET)
    assert refused.status_code == 403
    assert "admin roles" in refused.json()["detail"]


async def test_guesses_and_evaluations_are_limited(scene: Scene) -> None:
    statuses = [
        (await scene.ask("by-secret", caller=next(scene.keepers), client_secret=WRONG)).status_code
        for _ in range(SECRETS_AT_ONCE + 2)
    ]
    assert statuses[:SECRETS_AT_ONCE] == [200] * SECRETS_AT_ONCE
    assert statuses[-1] == 429
    assert (await scene.ask("by-post", client_secret=SECRET)).status_code == 200

    answers = [await scene.ask("by-secret", caller="keeper-1") for _ in range(2 * EVALUATIONS_AT_ONCE)]
    assert answers[0].status_code == 200
    refused = next(answer for answer in answers if answer.status_code != 200)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_evaluations")
    assert refused.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    "members",
    [
        {"unknown": "member"},
        {"client_secret": ""},
        {"client_secret": 7},
        {"client_secret": "a" * 1025},
        {"client_secret": SECRET, "client_assertion": "a.b.c"},
        {"access_token": "a.b.c", "scope": "orders.read"},
        {"access_token": "a.b.c", "audience": [API, "https://other"]},
        {"resource": [7]},
        {"resource": ["a"] * 33},
        {"authentication_method": "tls_client_auth"},
        {"client_assertion_type": "another"},
    ],
    ids=str,
)
async def test_a_request_that_is_none_is_refused(api: AdminApi, members: dict[str, Any]) -> None:
    uuid = await api.create("/master/clients", {"clientId": "orders"})
    answer = await api.call("POST", f"/master/clients/{uuid}/evaluate", json=members)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


async def test_a_long_body_and_a_missing_client_are_refused(api: AdminApi) -> None:
    uuid = await api.create("/master/clients", {"clientId": "orders"})
    path = f"/master/clients/{uuid}/evaluate"
    long = await api.call("POST", path, content=b'{"scope": "' + b"a" * MAX_BODY_BYTES)
    assert long.status_code == 413
    assert (await api.call("POST", "/master/clients/nobody/evaluate", json={})).status_code == 404
    lone = await api.call("POST", path, content=b'{"client_secret": "\\ud800"}')
    assert lone.status_code == 400


async def test_a_token_of_another_client_is_evaluated_there(scene: Scene) -> None:
    answer = await scene.ask("by-key", access_token=await scene.token("by-secret"))
    assert answer.status_code == 400
    assert "another client" in answer.json()["detail"]
    claims = good_claims("by-secret", API)
    nameless = KEY.sign_compact(KEY.header_segment("at+jwt"), claims)
    assert failed(await scene.evaluation("by-key", access_token=nameless))["code"] == "unknown_kid"


async def test_without_redis_nothing_is_known_of_used_assertions(tmp_path: Path) -> None:
    settings = settings_for(f"sqlite+aiosqlite:///{tmp_path}/keyturn.db", "redis://127.0.0.1:1")
    async with running(settings) as api:
        await api.create("", {"realm": REALM})
        made = {
            "clientId": "by-mac",
            "clientAuthenticatorType": "client-secret-jwt",
            "secret": SECRET,
        }
        uuid = await api.create(f"/{REALM}/clients", made)
        path = f"/{REALM}/clients/{uuid}/evaluate"
        answer = await api.call(
            "POST", path, json={"client_assertion": signed_with_secret("by-mac")}, headers=WAIT
        )
        assert (failed(answer.json())["check"], failed(answer.json())["code"]) == (
            "single_use",
            "redis_unavailable",
        )
