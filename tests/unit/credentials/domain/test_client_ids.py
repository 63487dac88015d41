"""No client gets an id that could be mistaken for another's in a header or on a screen."""

import pytest

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.representation import change_client, client_from
from keyturn_credentials.errors import InvalidRequestError

AMBIGUOUS = {
    "space before": " orders",
    "space behind": "orders ",
    "tab": "orders\t",
    "line break": "orders\r\nX-Keyturn-Client: admin",
    "no-break space": "orders\u00a0",
    "ideographic space": "my\u3000orders",
    "zero width space": "or\u200bders",
    "zero width joiner": "or\u200dders",
    "byte order mark": "\ufefforders",
    "soft hyphen": "or\u00adders",
    "right to left": "or\u202eders",
    "line separator": "orders\u2028",
    "hangul filler": "orders\u3164",
    "braille blank": "orders\u2800",
    "variation selector": "orders\ufe0f",
    "tag": "orders\U000e0041",
    "delete": "orders\x7f",
    "C1 control": "orders\x85",
    "nothing": "",
    "too long": "x" * 256,
}


@pytest.mark.parametrize("client_id", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_an_ambiguous_id_is_refused_for_a_new_client_and_a_new_name(client_id: str) -> None:
    with pytest.raises(InvalidRequestError, match="clientId"):
        client_from({"clientId": client_id}, uuid="1", realm_id="acme")
    with pytest.raises(InvalidRequestError, match="clientId"):
        change_client(Client("1", "acme", "orders"), {"clientId": client_id})


@pytest.mark.parametrize(
    "client_id",
    [
        "orders",
        "my orders",
        "https://orders.example/?a=b#c",
        "spiffe://acme/orders",
        "заказы",
        "注文",
        "x" * 255,
    ],
)
def test_other_ids_are_taken_as_keycloak_takes_them(client_id: str) -> None:
    assert client_from({"clientId": client_id}, uuid="1", realm_id="acme").client_id == client_id
