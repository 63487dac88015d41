"""The page of attributes names those that have an effect, and no others."""

import re
from pathlib import Path

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import MAX_ASSERTION_LIFETIME, MAX_TOKEN_LIFESPAN
from keyturn_credentials.domain.realm_keys import (
    DEFAULT_ALG,
    DEFAULT_PERIOD,
    LEAST_PERIOD,
    PUBLISHED_BEFORE_USE,
)
from keyturn_credentials.domain.roles import Role

PAGE = (Path(__file__).parents[3] / "docs" / "attributes.md").read_text()


def test_every_attribute_is_on_the_page() -> None:
    whole = {
        value
        for name, value in vars(attributes).items()
        if name.isupper() and isinstance(value, str) and ("." in value or value.startswith("keyturn"))
    } - {attributes.PUBLIC_KEY, attributes.PRIVATE_KEY}
    parts = (attributes.CERTIFICATE, attributes.PUBLIC_KEY, attributes.KID)
    named = set(re.findall(r"`([a-z0-9-]+(?:\.[a-z0-9-]+)+)`", PAGE))
    assert named == whole | {f"jwt.credential.{part}" for part in parts}


def test_roles_and_limits_are_those_in_force() -> None:
    assert all(f"`{role}`" in PAGE for role in Role)
    assert f"up to {MAX_ASSERTION_LIFETIME}." in PAGE
    assert f"up to {MAX_TOKEN_LIFESPAN}." in PAGE
    assert f"`{DEFAULT_ALG}` (default)" in PAGE
    assert f"at least {LEAST_PERIOD};" in PAGE
    assert (DEFAULT_PERIOD, PUBLISHED_BEFORE_USE) == (90 * 86_400, 10 * 60)
