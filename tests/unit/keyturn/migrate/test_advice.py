"""Advice on notes about protocol mappers."""

import pytest

from keyturn.migrate.advice import advice_on
from keyturn_credentials.domain.imported_mappers import usable_mappers

CLAIM = {"claim.name": "iss", "claim.value": "x", "access.token.claim": "true"}
FORBIDDEN = {"name": "m", "protocolMapper": "oidc-hardcoded-claim-mapper", "config": CLAIM}


@pytest.mark.parametrize(
    ("mapper", "advice"),
    [
        (FORBIDDEN, "choose another claim, and"),
        (
            {"name": "m", "protocolMapper": "script-own.js"},
            "check whether a resource server reads its claim;",
        ),
    ],
)
def test_there_is_advice_on_mappers_of_clients_and_of_scopes(mapper: dict[str, object], advice: str) -> None:
    [note] = usable_mappers({"protocolMappers": [mapper]})
    for whole in (note, f"client scope roles: {note}"):
        assert advice_on(whole).startswith(advice)
