"""Tokens for the admin API are fully checked: signature, type, audience, times, and their holder."""

import time
from typing import Any

import pytest

from keyturn_shared.jose.signing import SigningKey
from tests.testkit.admin_api import ADMIN_ID, BASE_URL, AdminApi

ISSUER = f"{BASE_URL}/realms/master"


async def status_with(api: AdminApi, token: str) -> int:
    response = await api.http.get("/admin/realms", headers={"Authorization": f"Bearer {token}"})
    return response.status_code


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    whole = {
        "iss": ISSUER,
        "sub": ADMIN_ID,
        "aud": ISSUER,
        "client_id": ADMIN_ID,
        "iat": now,
        "exp": now + 60,
    }
    return {name: value for name, value in (whole | {"jti": "1"} | changed).items() if value is not None}


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": -60},
        {"exp": None},
        {"nbf": 3600},
        {"aud": "https://elsewhere.example"},
        {"aud": None},
        {"iss": f"{BASE_URL}/realms/other"},
        {"iss": "https://elsewhere.example/realms/master"},
        {"client_id": "nobody"},
        {"client_id": None},
        {"client_id": 7},
        {"cnf": {"x5t#S256": "abc"}},
        {"cnf": {"jkt": "abc"}},
    ],
    ids=str,
)
async def test_a_token_with_other_claims_is_refused(api: AdminApi, changed: dict[str, Any]) -> None:
    """Times are seconds from now."""
    good = await api.token()
    assert await status_with(api, good) == 200
    now = int(time.time())
    changed = {
        name: now + value if name in ("exp", "nbf") and value is not None else value
        for name, value in changed.items()
    }
    exact = {name: value for name, value in changed.items() if value is not None}
    token = await api.token(**exact) if exact else None
    if token is None:
        (missing,) = changed
        key = await api.tokens.key("master")
        token = key.sign_compact(key.header_segment("at+jwt"), claims(**{missing: None}))
    assert await status_with(api, token) == 401


async def test_a_token_of_another_key_type_or_signature_is_refused(api: AdminApi) -> None:
    key = await api.tokens.key("master")
    assert await status_with(api, key.sign_compact(key.header_segment("at+jwt"), claims())) == 200
    assert await status_with(api, key.sign_compact(key.header_segment("JWT"), claims())) == 401
    own = SigningKey.generate("ES256", kid=key.kid)
    assert await status_with(api, own.sign_compact(own.header_segment("at+jwt"), claims())) == 401
    strange = SigningKey.generate("ES256")
    assert await status_with(api, strange.sign_compact(strange.header_segment("at+jwt"), claims())) == 401
    signed = await api.token()
    head, body, signature = signed.split(".")
    for other in (f"{head}.{body}.", f"{head}.{body}.{signature[:-2]}AA", f"{head}..{signature}", "a.b.c"):
        assert await status_with(api, other) == 401


async def test_a_token_ends_with_its_client_and_with_its_realm(api: AdminApi) -> None:
    await api.call("POST", "", json={"realm": "acme"})
    given = {"keyturn.admin.roles": "manage-clients"}
    path = f"/acme/clients/{await api.create('/acme/clients', {'clientId': 'own', 'attributes': given})}"
    token = await api.token("acme", "own")
    assert await status_with(api, token) == 200
    for ended, target in enumerate((path, "/acme"), 1):
        await api.call("PUT", target, json={"enabled": False})
        assert await status_with(api, token) == 401
        await api.call("PUT", target, json={"enabled": True})
        # After re-enabling, the client may get new ones; earlier ones stay void.
        assert await status_with(api, token) == 401
        token = await api.token("acme", "own", generation=ended)
        assert await status_with(api, token) == 200
    await api.call("PUT", path, json={"attributes": {"keyturn.admin.roles": ""}})
    assert await status_with(api, token) == 403
    await api.call("DELETE", path)
    assert await status_with(api, token) == 401


async def test_a_realms_next_key_signs_nothing_yet_and_its_former_one_is_good_until_tokens_end(
    api: AdminApi,
) -> None:
    before = await api.token()
    assert (await api.call("POST", "/master/keys/rotate")).status_code == 204
    assert await status_with(api, before) == 200
    api.forget_keys()
    assert await status_with(api, await api.token()) == 200
    upcoming = await api.tokens.key("master", state="next")
    assert await status_with(api, upcoming.sign_compact(upcoming.header_segment("at+jwt"), claims())) == 401
