"""Name and groups in verified claims."""

from typing import Any

import pytest

from keyturn_credentials.oidc.claim_path import ClaimPath
from keyturn_credentials.oidc.errors import Refusal, SignInError
from keyturn_credentials.oidc.person_claims import MAX_NAME_CHARACTERS, groups_in, name_in

NAME, EMAIL = ClaimPath.parse("name"), ClaimPath.parse("email")


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": "Ada Lovelace", "email": "ada@example.org"}, "Ada Lovelace"),
        ({"name": " ", "preferred_username": "ada"}, "ada"),
        ({"name": 1, "email": "ada@example.org"}, "ada@example.org"),
        ({}, "subject-1"),
        ({"name": "Ada\n\tLove\u0000lace"}, "Ada Love lace"),
        ({"name": "admin\u202egnp"}, "admin gnp"),
        ({"name": "\ud800"}, "subject-1"),
        ({"name": "x" * 5000}, "x" * MAX_NAME_CHARACTERS),
    ],
)
def test_a_name_is_one_line_of_visible_characters(claims: dict[str, Any], name: str) -> None:
    assert name_in(claims, NAME, "subject-1") == name


def test_an_address_counts_only_if_the_provider_has_verified_it() -> None:
    claims = {"email": "ada@example.org", "email_verified": True}
    assert groups_in(claims, EMAIL, "ada") == ("ada@example.org",)
    for verified in (False, "true", None, 1):
        with pytest.raises(SignInError) as refused:
            groups_in(claims | {"email_verified": verified}, EMAIL, "ada")
        assert (refused.value.reason, refused.value.subject) == (Refusal.GROUPS_UNREADABLE, "ada")
