"""Early ends of tokens, as tables."""

from typing import Any

import pytest
from msgspec.structs import replace

from keyturn_shared.oauth.errors import TokenEndedError, TokenRevokedError
from keyturn_shared.oauth.tokens.ended_tokens import generation_of, not_before_policy, require_not_ended
from keyturn_shared.projection import token_digest
from tests.testkit.oauth_scene import REALM, client

WORKER = client()


@pytest.mark.parametrize(
    ("of_realm", "of_client", "policy"), [(0, 0, 0), (5, 0, 5), (0, 7, 7), (5, 7, 7), (7, 5, 7)]
)
def test_the_later_of_two_not_befores_counts(of_realm: int, of_client: int, policy: int) -> None:
    realm, worker = replace(REALM, not_before=of_realm), replace(WORKER, not_before=of_client)
    assert not_before_policy(realm, worker) == policy


def test_ends_of_all_tokens_are_counted_together() -> None:
    assert generation_of(replace(REALM, token_generation=2), replace(WORKER, token_generation=3)) == 5


GOOD = [
    ({"iat": 100}, {}, {}),
    ({}, {}, {}),
    ({"iat": 100}, {"not_before": 100}, {}),
    ({"iat": 100}, {}, {"not_before": 100}),
    ({"iat": 100.5}, {}, {"not_before": 100}),
    ({"generation": 2}, {"token_generation": 1}, {"token_generation": 1}),
    ({"generation": 3}, {}, {"token_generation": 2}),
    ({"jti": "good"}, {}, {"revoked_tokens": {token_digest("other"): 1.0}}),
    ({}, {}, {"revoked_tokens": {token_digest("other"): 1.0}}),
]
ENDED = [
    ({"iat": 99}, {"not_before": 100}, {}),
    ({"iat": 99.9}, {}, {"not_before": 100}),
    ({}, {}, {"not_before": 1}),
    ({"iat": "100"}, {}, {"not_before": 1}),
    ({}, {"token_generation": 1}, {}),
    ({}, {}, {"token_generation": 1}),
    ({"generation": 1}, {"token_generation": 1}, {"token_generation": 1}),
    ({"generation": "9"}, {}, {}),
]


@pytest.mark.parametrize(("claims", "realm", "of_client"), GOOD)
def test_a_token_stands_that_nothing_has_ended(
    claims: dict[str, Any], realm: dict[str, Any], of_client: dict[str, Any]
) -> None:
    require_not_ended(claims, replace(REALM, **realm), replace(WORKER, **of_client))


@pytest.mark.parametrize(("claims", "realm", "of_client"), ENDED)
def test_a_token_from_before_all_were_ended_is_refused(
    claims: dict[str, Any], realm: dict[str, Any], of_client: dict[str, Any]
) -> None:
    with pytest.raises(TokenEndedError):
        require_not_ended(claims, replace(REALM, **realm), replace(WORKER, **of_client))


def test_one_token_is_revoked_by_its_digest() -> None:
    worker = replace(WORKER, revoked_tokens={token_digest("this"): 1.0})
    with pytest.raises(TokenRevokedError):
        require_not_ended({"jti": "this"}, REALM, worker)
