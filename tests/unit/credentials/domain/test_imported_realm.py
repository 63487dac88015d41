"""An imported realm has the tokens that its resource servers expect, a new one keyturn's."""

from typing import Any

import pytest

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.imported_realm import is_keycloaks, with_unsaid
from keyturn_credentials.domain.realm_keys import signing_alg
from keyturn_credentials.domain.representation import client_from, realm_from

TYPE = "access.token.header.type.rfc9068"
CLIENTS = [{"clientId": "a"}]


@pytest.mark.parametrize(
    ("representation", "plain", "alg"),
    [
        ({}, False, "ES256"),
        ({"clients": []}, False, "ES256"),
        ({"clients": CLIENTS}, True, "RS256"),
        ({"keycloakVersion": "26.0.0"}, True, "RS256"),
        ({"keycloakVersion": "26.0.0", "defaultSignatureAlgorithm": "PS256"}, True, "PS256"),
        ({"clients": CLIENTS, "attributes": {"frontendUrl": ""}}, True, "RS256"),
        ({"clients": CLIENTS, "attributes": {TYPE: "true"}}, False, "RS256"),
        ({"clients": CLIENTS, "attributes": {"keyturn.strict-audience": "true"}}, False, "ES256"),
        ({"clients": CLIENTS, "attributes": {"keyturn.signing.algorithm": "ES384"}}, False, "ES384"),
    ],
)
def test_a_new_realm_has_the_tokens_of_where_it_comes_from(
    representation: dict[str, Any], plain: bool, alg: str
) -> None:
    realm = realm_from({"realm": "acme", **representation}, realm_id="r")
    assert (realm.has_plain_token_type, signing_alg(realm)) == (plain, alg)


def test_what_is_not_keycloaks_stays_as_it_is() -> None:
    given = {"realm": "acme"}
    assert not is_keycloaks(given)
    assert with_unsaid(given) is given


@pytest.mark.parametrize(("text", "plain"), [(None, None), ("", None), ("true", False), ("false", True)])
def test_a_client_has_a_type_of_its_own_or_none(text: str | None, plain: bool | None) -> None:
    made = client_from({"clientId": "a", "attributes": {TYPE: text}}, uuid="u", realm_id="r")
    assert made.has_plain_token_type is plain


def test_the_id_of_a_service_account_is_the_same_at_each_look_and_another_one_for_each_client() -> None:
    first, second = (Client(uuid=uuid, realm_id="r", client_id="a") for uuid in ("1", "2"))
    assert first.service_account_id == Client(uuid="1", realm_id="s", client_id="b").service_account_id
    assert first.service_account_id != second.service_account_id
    assert first.service_account_id != first.uuid
