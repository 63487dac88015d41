"""No two realms have similar names, least of all one like ``master``."""

import pytest

from keyturn_credentials.domain.realm import Realm, check_realm
from keyturn_credentials.domain.realm_names import require_distinct
from keyturn_credentials.errors import ConflictError, InvalidRequestError


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Master", "master"),
        ("MASTER", "master"),
        ("rnaster", "master"),
        ("RNASTER", "master"),
        ("shop1", "shopl"),
        ("shopI", "shopl"),
        ("sh0p", "shop"),
        ("ShOp", "shop"),
        ("vvorld", "World"),
    ],
)
def test_a_name_that_looks_like_another_is_refused(name: str, other: str) -> None:
    for one, two in ((name, other), (other, name)):
        with pytest.raises(ConflictError, match=one):
            require_distinct(one, ["acme", two])


@pytest.mark.parametrize("name", ["masters", "master-2", "acme", "shop2", "shopi"])
def test_other_names_are_free(name: str) -> None:
    require_distinct(name, ["master", "shop", "shopl", name])


@pytest.mark.parametrize(
    "name",
    ["m\u0430ster", "\uff4daster", "master ", " master", "mas\u200bter", "master\u00a0", "ma\u017fter"],
)
def test_look_alikes_of_other_scripts_and_spaces_are_no_names_at_all(name: str) -> None:
    with pytest.raises(InvalidRequestError, match="letters"):
        check_realm(Realm("1", name))
