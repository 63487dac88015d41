"""An evaluation says accepted exactly if a node lets the same request in, and names the same refusal code."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from keyturn_credentials.authorization import client_keys
from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.jose.signing import SigningKey
from tests.integration.credentials.evaluation.scene import (
    API,
    KEY,
    OTHER_KEY,
    SECRET,
    URL_KEY,
    Scene,
    failed,
    signed,
    signed_with_secret,
)
from tests.testkit.jwks_server import Page
from tests.testkit.nodes import eventually, good_claims

NOW = time.time
WRONG = "a wrong secret that is long enough as well"


def _assertion(client_id: str, key: Any = KEY, **changes: Any) -> dict[str, Any]:
    return {"client_assertion": signed(client_id, key, **changes)}


REQUESTS: dict[str, tuple[str, str, Callable[[], dict[str, Any]]]] = {
    "the right secret": ("accepted", "by-secret", lambda: {"client_secret": SECRET}),
    "a wrong secret": ("wrong_secret", "by-secret", lambda: {"client_secret": WRONG}),
    "an allowed scope": (
        "accepted",
        "by-secret",
        lambda: {"client_secret": SECRET, "scope": "orders.read openid"},
    ),
    "a scope too many": (
        "invalid_scope",
        "by-secret",
        lambda: {"client_secret": SECRET, "scope": "orders.write"},
    ),
    "an allowed resource": ("accepted", "by-secret", lambda: {"client_secret": SECRET, "resource": API}),
    "a foreign resource": (
        "invalid_target",
        "by-secret",
        lambda: {"client_secret": SECRET, "resource": "https://foreign"},
    ),
    "the secret in the header": (
        "authenticator_mismatch",
        "by-post",
        lambda: {"client_secret": SECRET, "authentication_method": "client_secret_basic"},
    ),
    "the secret in the form": (
        "accepted",
        "by-post",
        lambda: {"client_secret": SECRET, "authentication_method": "client_secret_post"},
    ),
    "a disabled client": ("client_disabled", "disabled", lambda: {"client_secret": SECRET}),
    "no service account": ("unauthorized_client", "no-account", lambda: {"client_secret": SECRET}),
    "an algorithm of its own": ("accepted", "odd-alg", lambda: {"client_secret": SECRET}),
    "an assertion": ("accepted", "by-key", lambda: _assertion("by-key")),
    "an assertion by a secret": (
        "accepted",
        "by-mac",
        lambda: {"client_assertion": signed_with_secret("by-mac")},
    ),
    "an assertion by a wrong secret": (
        "bad_signature",
        "by-mac",
        lambda: {"client_assertion": signed_with_secret("by-mac", WRONG)},
    ),
    "an assertion for a client with a secret": (
        "authenticator_mismatch",
        "by-secret",
        lambda: _assertion("by-secret"),
    ),
    "a secret for a client with keys": (
        "authenticator_mismatch",
        "by-key",
        lambda: {"client_secret": SECRET},
    ),
    "a MAC for a client with keys": (
        "algorithm_not_allowed",
        "by-key",
        lambda: {"client_assertion": signed_with_secret("by-key")},
    ),
    "an algorithm not allowed": ("algorithm_not_allowed", "by-rsa", lambda: _assertion("by-rsa")),
    "an unknown key": ("unknown_kid", "by-key", lambda: _assertion("by-key", OTHER_KEY)),
    "another key of that name": (
        "bad_signature",
        "by-key",
        lambda: _assertion("by-key", OTHER_KEY.renamed("first")),
    ),
    "another typ": ("malformed", "by-key", lambda: _assertion("by-key", typ="dpop+jwt")),
    "another issuer": ("wrong_issuer", "by-key", lambda: _assertion("by-key", iss="someone")),
    "another subject": ("wrong_issuer", "by-key", lambda: _assertion("by-key", sub="someone")),
    "another audience": ("wrong_audience", "by-key", lambda: _assertion("by-key", aud="https://other")),
    "no audience": ("missing_claim", "by-key", lambda: _assertion("by-key", aud=None)),
    "expired": (
        "expired",
        "by-key",
        lambda: _assertion("by-key", exp=int(NOW()) - 60, iat=int(NOW()) - 100),
    ),
    "without exp": ("missing_claim", "by-key", lambda: _assertion("by-key", exp=None)),
    "not yet valid": ("not_yet_valid", "by-key", lambda: _assertion("by-key", nbf=int(NOW()) + 300)),
    "too old": (
        "lifetime_too_long",
        "by-key",
        lambda: _assertion("by-key", iat=int(NOW()) - 200, exp=int(NOW()) + 60),
    ),
    "without jti": ("missing_claim", "by-key", lambda: _assertion("by-key", jti=None)),
    "not a token": ("malformed", "by-key", lambda: {"client_assertion": "not-a-token"}),
    "alg none": (
        "algorithm_not_allowed",
        "by-key",
        lambda: {"client_assertion": f"eyJhbGciOiJub25lIn0.{signed('by-key').split('.')[1]}."},
    ),
    "a published key": ("accepted", "by-url", lambda: _assertion("by-url", URL_KEY)),
    "a key not published": ("unknown_kid", "by-url", lambda: _assertion("by-url", KEY)),
    "a URL that fails": ("keys_unavailable", "by-broken-url", lambda: _assertion("by-broken-url")),
}


async def test_every_request_is_evaluated_as_a_node_answers_it(scene: Scene) -> None:
    for name, (code, client_id, make) in REQUESTS.items():
        members = make()
        evaluation = await scene.evaluation(client_id, caller=next(scene.keepers), **members)
        accepted, outcome = await scene.sent_to_the_node(client_id, members)
        assert outcome == code, name
        assert evaluation["accepted"] is accepted is (code == "accepted"), (name, evaluation)
        assert (evaluation["token"] is not None) is accepted, name
        if not accepted:
            assert failed(evaluation)["code"] == code, (name, evaluation)
            assert failed(evaluation)["advice"], name


async def test_both_know_a_used_assertion(scene: Scene) -> None:
    members = _assertion("by-key")
    for _ in range(2):
        assert (await scene.evaluation("by-key", **members))["accepted"]
    assert await scene.sent_to_the_node("by-key", members) == (True, "accepted")
    evaluation = await scene.evaluation("by-key", **members)
    assert (failed(evaluation)["check"], failed(evaluation)["code"]) == ("single_use", "replayed")
    assert await scene.sent_to_the_node("by-key", members) == (False, "replayed")


async def test_both_know_a_rotated_and_an_ended_secret(scene: Scene) -> None:
    path = f"{scene.path('by-secret')}/client-secret"
    new = (await scene.change("POST", f"{path}?overlap=3600")).json()["value"]
    for secret, which in ((new, "current"), (SECRET, "former")):
        members = {"client_secret": secret}
        (step,) = (
            each
            for each in (await scene.evaluation("by-secret", **members))["steps"]
            if each["check"] == "secret"
        )
        assert step["result"] == "passed"
        assert which in step["detail"]
        assert await scene.sent_to_the_node("by-secret", members) == (True, "accepted")
    assert "accepted until" in step["detail"]
    await scene.change("DELETE", f"{path}/rotated")
    members = {"client_secret": SECRET}
    assert failed(await scene.evaluation("by-secret", **members))["code"] == "wrong_secret"
    assert await scene.sent_to_the_node("by-secret", members) == (False, "wrong_secret")


async def test_both_know_an_expired_secret(scene: Scene) -> None:
    await scene.change("POST", f"{scene.path('by-secret')}/client-secret?overlap=1")
    members = {"client_secret": SECRET}

    async def expired() -> bool:
        return await scene.sent_to_the_node("by-secret", members) == (False, "secret_expired")

    await eventually(expired)
    step = failed(await scene.evaluation("by-secret", **members))
    assert (step["check"], step["code"]) == ("secret", "secret_expired")


async def test_both_know_a_revoked_key(scene: Scene) -> None:
    thumbprint = KEY.verification_key.thumbprint
    await scene.change("POST", f"{scene.path('by-key')}/keys/{thumbprint}/revoke")
    members = _assertion("by-key")
    assert failed(await scene.evaluation("by-key", **members))["code"] == "key_revoked"
    assert await scene.sent_to_the_node("by-key", members) == (False, "key_revoked")


async def test_both_know_which_keys_a_url_has_now(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """An evaluation keeps what it fetched itself, and a fetcher may have been there since."""
    monkeypatch.setattr(client_keys, "LEAST_INTERVAL", 0.02)
    former, new = URL_KEY, OTHER_KEY.renamed("published")

    async def agreed(key: SigningKey) -> str:
        members = _assertion("by-url", key)
        evaluation = await scene.evaluation("by-url", **members)
        _, outcome = await scene.sent_to_the_node("by-url", _assertion("by-url", key))
        code = "accepted" if evaluation["accepted"] else failed(evaluation)["code"]
        assert code == outcome, evaluation
        return outcome

    assert await agreed(former) == "accepted"
    scene.server.pages["/keys"] = Page([new.public_jwk])
    assert await scene.sent_to_the_node("by-url", _assertion("by-url", new)) == (True, "accepted")
    assert await agreed(former) == "bad_signature"
    assert await agreed(new) == "accepted"
    scene.server.pages["/keys"] = Page([new.public_jwk, KEY.public_jwk])
    assert await agreed(KEY) == "accepted"
    del scene.server.pages["/keys"]
    assert await agreed(KEY) == "accepted"
    assert await agreed(SigningKey.generate(kid="unknown")) == "keys_unavailable"


async def test_the_preview_is_the_token_that_the_node_issues(scene: Scene) -> None:
    members = {"client_secret": SECRET, "scope": "orders.read", "resource": API}
    preview = (await scene.evaluation("by-secret", **members))["token"]
    issued = parse_compact(await scene.token(scope="orders.read", resource=API))
    own = ("jti", "iat", "exp")
    assert {name: value for name, value in preview["claims"].items() if name not in own} == {
        name: value for name, value in issued.claims.items() if name not in own
    }
    assert preview["claims"]["exp"] - preview["claims"]["iat"] == issued.claims["exp"] - issued.claims["iat"]
    assert preview["header"] == {
        "alg": issued.header.algorithm.name,
        "kid": issued.header.kid,
        "typ": issued.header.typ,
    }


async def test_an_access_token_is_evaluated_as_a_node_verifies_it(scene: Scene) -> None:
    token = await scene.token(resource=API)
    head, claims, signature = token.split(".")
    altered = f"{head}.{claims}.{'A' * len(signature)}"
    forged = KEY.sign_compact(KEY.header_segment("at+jwt"), good_claims("by-secret", API))
    cases = (
        (token, None, "accepted"),
        (token, API, "accepted"),
        (token, "https://other", "wrong_audience"),
        (altered, None, "bad_signature"),
    )
    for text, audience, code in cases:
        members = {"access_token": text} | ({"audience": audience} if audience else {})
        evaluation = await scene.evaluation("by-secret", **members)
        assert await scene.verified_by_the_node(text, audience) == (code == "accepted", code)
        assert evaluation["accepted"] is (code == "accepted"), evaluation
        if code != "accepted":
            assert failed(evaluation)["code"] == code
    unknown = await scene.evaluation("by-secret", access_token=forged)
    assert failed(unknown)["code"] == "unknown_kid"


async def test_both_know_an_ended_and_a_revoked_token(scene: Scene) -> None:
    token = await scene.token(resource=API)
    form = {"client_id": "by-secret", "client_secret": SECRET, "token": token}
    path = "/realms/acme/protocol/openid-connect/revoke"
    assert (await scene.node.http.post(path, data=form, headers={"Prefer": "wait=30"})).status_code == 200
    assert await scene.verified_by_the_node(token, None) == (False, "token_revoked")
    assert failed(await scene.evaluation("by-secret", access_token=token))["code"] == "token_revoked"
    other = await scene.token(resource=API)
    await scene.change("PUT", scene.path("by-secret"), json={"enabled": False})
    assert await scene.verified_by_the_node(other, None) == (False, "client_disabled")
    assert failed(await scene.evaluation("by-secret", access_token=other))["code"] == "client_disabled"
    await scene.change("PUT", scene.path("by-secret"), json={"enabled": True})
    assert await scene.verified_by_the_node(other, None) == (False, "token_ended")
    assert failed(await scene.evaluation("by-secret", access_token=other))["code"] == "token_ended"
