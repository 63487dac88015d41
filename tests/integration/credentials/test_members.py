"""A member of a representation is supported, or the call that sets it is refused and changes nothing."""

from typing import Any

import pytest

from tests.testkit.admin_api import AdminApi


async def make(api: AdminApi) -> str:
    """Create a client of realm acme; return its path."""
    await api.call("POST", "", json={"realm": "acme"})
    return f"/acme/clients/{await api.create('/acme/clients', {'clientId': 'orders'})}"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"enable": False}, 'unrecognized field "enable": did you mean "enabled"?'),
        ({"Enabled": False}, 'unrecognized field "Enabled": did you mean "enabled"?'),
        ({"protocolMappers": [{"name": "audience"}]}, "protocolMapper is required"),
        ({"attributes": {"access.token.signed.response.alg": "HS256"}}, "access.token.signed.response.alg"),
        ({"attributes": {"client_credentials.use_refresh_token": "true"}}, "no refresh tokens"),
    ],
    ids=str,
)
async def test_what_a_client_cannot_have_is_refused_by_name(
    api: AdminApi, change: dict[str, Any], said: str
) -> None:
    path = await make(api)
    before = (await api.call("GET", path)).json()
    for method, where, whole in (
        ("PUT", path, change),
        ("POST", "/acme/clients", {"clientId": "other", **change}),
    ):
        refused = await api.call(method, where, json=whole)
        assert refused.status_code == 400
        assert said in refused.json()["errorMessage"]
    assert (await api.call("GET", path)).json() == before
    assert len((await api.call("GET", "/acme/clients")).json()) == 1


async def test_a_misspelt_member_of_a_realm_is_refused(api: AdminApi) -> None:
    await make(api)
    refused = await api.call("PUT", "/acme", json={"enable": False})
    assert refused.status_code == 400
    assert refused.json()["errorMessage"] == 'unrecognized field "enable": did you mean "enabled"?'
    assert (await api.call("POST", "", json={"realm": "b", "sslRequired": "all"})).status_code == 400
    assert (await api.call("GET", "/b")).status_code == 404


async def test_an_import_takes_over_the_rest_and_reports_what_it_left_out(api: AdminApi) -> None:
    path = await make(api)
    exported = {
        "clientId": "moved",
        "enable": False,
        "protocolMappers": [{"name": "audience"}, {"name": "own", "protocolMapper": "script-own.js"}],
        "attributes": {"access.token.signed.response.alg": "EdDSA", "team": "a"},
    }
    answer = await api.call("POST", "/acme/partialImport", json={"clients": [exported]})
    assert answer.status_code == 200, answer.text
    [line] = answer.json()["results"]
    assert line["action"] == "ADDED"
    notes = " ".join(line["notes"])
    for said in (
        "enable is not known",
        "protocol mapper audience: protocolMapper is required: it is left out",
        "protocol mapper own (script-own.js) has no effect",
    ):
        assert said in notes
    taken = (await api.call("GET", f"/acme/clients/{line['id']}")).json()
    assert "enable" not in taken
    assert taken["attributes"].get("team") == "a"
    assert taken["attributes"].get("access.token.signed.response.alg") == "EdDSA"
    assert ("EdDSA", "ACTIVE") in await key_states(api)
    assert (await api.call("GET", path)).status_code == 200


async def key_states(api: AdminApi) -> list[tuple[str, str]]:
    shown = (await api.call("GET", "/acme/keys")).json()["keys"]
    return [(key["algorithm"], key["status"]) for key in shown if key["purpose"] == "clients"]


async def test_the_realm_gets_a_key_for_the_algorithm_that_a_client_asks_for(api: AdminApi) -> None:
    """Once, when it is first needed; a call that is refused makes none."""
    path = await make(api)
    wanted = {"attributes": {"access.token.signed.response.alg": "EdDSA"}}
    refused = await api.call("PUT", path, json={**wanted, "notBefore": "never"})
    assert refused.status_code == 400
    refused = await api.call("POST", "/acme/clients", json={"clientId": "b", **wanted, "enable": False})
    assert refused.status_code == 400
    assert [alg for alg, _ in await key_states(api)] == ["ES256"] * 2
    assert (await api.call("PUT", path, json=wanted)).status_code == 204
    for name in "bc":
        answer = await api.call("POST", "/acme/clients", json={"clientId": name, **wanted})
        assert answer.status_code == 201
    assert sorted(alg for alg, _ in await key_states(api)) == ["ES256"] * 2 + ["EdDSA"] * 2
    kept = (await api.call("GET", "/acme")).json()["attributes"]
    assert kept["keyturn.signing.additional-algorithms"] == "EdDSA"


async def test_tokens_of_administrators_are_signed_with_the_realms_own_algorithm(api: AdminApi) -> None:
    wanted = {"clientId": "x", "attributes": {"access.token.signed.response.alg": "RS256"}}
    refused = await api.call("POST", "/master/clients", json=wanted)
    assert refused.status_code == 400
    assert "the realm signs with ES256" in refused.json()["errorMessage"]


async def test_the_default_signature_algorithm_is_that_of_new_keys(api: AdminApi) -> None:
    await api.call("POST", "", json={"realm": "rsa", "defaultSignatureAlgorithm": "RS256"})
    keys = (await api.call("GET", "/rsa/keys")).json()
    assert {key["algorithm"] for key in keys["keys"]} == {"RS256"}
    assert (await api.call("GET", "/rsa")).json()["defaultSignatureAlgorithm"] == "RS256"
    wanted = {"clientId": "x", "attributes": {"access.token.signed.response.alg": "RS256"}}
    assert (await api.call("POST", "/rsa/clients", json=wanted)).status_code == 201
