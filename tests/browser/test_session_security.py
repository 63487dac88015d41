"""Attacks on the console's sessions by other sites, and with old cookies."""

import re

import httpx
import pytest

from tests.testkit.console_realm import REALM, Scene
from tests.testkit.console_session import COOKIE, sign_in
from tests.testkit.local_stack import RunningStack


@pytest.fixture
def session(http: httpx.Client, stack: RunningStack) -> dict[str, str]:
    """A session of its own, whose cookie ``http`` sends from now on."""
    answer = sign_in(stack)
    http.cookies.set(COOKIE, answer.cookies[COOKIE])
    return dict(answer.json())


@pytest.mark.parametrize("token", [None, "", "wrong", "A" * 43])
def test_a_change_without_the_sessions_token_is_refused(
    http: httpx.Client, session: dict[str, str], scene: Scene, token: str | None
) -> None:
    headers = {} if token is None else {"X-CSRF-Token": token}
    path = f"/admin/realms/{REALM}/clients/{scene.uuids['orders']}"
    before = scene.admin.secret(scene.uuids["orders"])
    for method, target in (
        ("POST", f"{path}/client-secret"),
        ("PUT", path),
        ("DELETE", path),
        ("POST", f"{path}/clear-keys-cache"),
        ("DELETE", "/console/session"),
    ):
        content = b"{}" if method == "PUT" else b""
        answer = http.request(method, target, headers=headers, content=content)
        assert answer.status_code == 403, (method, target)
    assert scene.admin.secret(scene.uuids["orders"]) == before
    assert http.get(path).status_code == 200


def test_another_sessions_token_does_not_do(
    http: httpx.Client, session: dict[str, str], stack: RunningStack
) -> None:
    other = sign_in(stack).json()["csrf"]
    assert other != session["csrf"]
    answer = http.post("/admin/realms", json={"realm": "forged"}, headers={"X-CSRF-Token": other})
    assert answer.status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_cannot_sign_anybody_in(http: httpx.Client, stack: RunningStack, site: str) -> None:
    answer = http.post(
        "/console/session", json=stack.local["admin"], headers={"Sec-Fetch-Site": site, "Origin": "https://x"}
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_form_of_another_site_is_no_sign_in(http: httpx.Client, stack: RunningStack) -> None:
    answer = http.post("/console/session", data=stack.local["admin"])
    assert answer.status_code in (400, 415)
    assert "set-cookie" not in answer.headers


def test_a_planted_cookie_is_replaced_and_means_nothing(http: httpx.Client, stack: RunningStack) -> None:
    """Session fixation: the browser's cookie before sign-in is not the session afterwards."""
    for planted in ("planted", sign_in(stack).cookies[COOKIE]):
        http.cookies.set(COOKIE, planted)
        answer = http.post("/console/session", json=stack.local["admin"])
        made = re.match(rf"{COOKIE}=([^;]+); ", answer.headers["set-cookie"])
        assert made is not None
        assert made[1] != planted
        http.cookies.clear()
    http.cookies.set(COOKIE, "planted")
    assert http.get("/admin/realms").status_code == 401
    assert http.get("/console/session").status_code == 204


def test_an_altered_cookie_is_nobodys(http: httpx.Client, session: dict[str, str]) -> None:
    value = http.cookies[COOKIE]
    http.cookies.clear()
    for altered in (value[:-2] + ("AA" if value[-2:] != "AA" else "BB"), value[1:], value.upper(), ""):
        assert http.get("/admin/realms", headers={"Cookie": f"{COOKIE}={altered}"}).status_code == 401


def test_the_cookie_is_short_lived_and_out_of_reach_of_scripts_and_other_sites(stack: RunningStack) -> None:
    answer = sign_in(stack)
    attributes = answer.headers["set-cookie"].lower()
    for attribute in ("httponly", "samesite=strict", "path=/", "max-age=1800"):
        assert attribute in attributes
    assert answer.headers["cache-control"] == "no-store"


def test_a_new_secret_of_the_admin_ends_its_sessions(http: httpx.Client, scene: Scene) -> None:
    uuid = scene.admin.make_client("guest", attributes={"keyturn.admin.roles": "view-clients"})
    credentials = {"realm": REALM, "client_id": "guest", "client_secret": scene.admin.secret(uuid)}
    http.cookies.set(COOKIE, http.post("/console/session", json=credentials).cookies[COOKIE])
    assert http.get(f"/admin/realms/{REALM}/clients?max=1").status_code == 200
    scene.admin.call("POST", f"/clients/{uuid}/client-secret")
    assert http.get(f"/admin/realms/{REALM}/clients?max=1").status_code == 401
    scene.admin.call("DELETE", f"/clients/{uuid}")


def test_every_answer_of_the_console_forbids_foreign_code_and_framing(http: httpx.Client) -> None:
    for path in (
        "/console/",
        "/console/static/js/main.js",
        "/console/static/console.css",
        "/console/static/no",
    ):
        headers = http.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["../access.py", "%2e%2e/access.py", "..%2faccess.py", "js/../../access.py"])
def test_nothing_but_the_consoles_files_is_served(stack: RunningStack, path: str) -> None:
    url = httpx.URL(stack.base_url).copy_with(raw_path=f"/console/static/{path}".encode())
    assert "ConsoleAccess" not in httpx.get(url, trust_env=False).text
