"""docs/keycloak-compatibility.md states the treatment of every member."""

import re
from pathlib import Path

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client_members import CLIENT_ATTRIBUTES
from keyturn_credentials.domain.members import Meaning
from keyturn_credentials.domain.members_page import tables

PAGE = (Path(__file__).parents[3] / "docs" / "keycloak-compatibility.md").read_text()


def test_the_page_has_the_tables_that_are_in_force() -> None:
    found = re.search(r"<!-- python -m \S+ -->\n(.*?)<!-- end -->", PAGE, re.DOTALL)
    assert found is not None
    assert found[1] == tables(), "python -m keyturn_credentials.domain.members_page"


def test_attributes_said_to_be_in_force_are_those_that_are_read() -> None:
    """Secrets' times and policies have their own tables on the page of attributes."""
    read = {value for name, value in vars(attributes).items() if name.isupper() and isinstance(value, str)}
    keys = {f"jwt.credential.{part}" for part in ("certificate", "public.key", "kid")}
    keycloaks = {name for name in read if "." in name and not name.startswith("keyturn.")}
    own = {name for name in keycloaks if name.startswith(("x509.san.", "x509.self"))}
    named = {name for name, member in CLIENT_ATTRIBUTES.items() if member.meaning is Meaning.SUPPORTED}
    apart = attributes.MANAGED | {attributes.PUBLIC_KEY, attributes.PRIVATE_KEY}
    assert named == (keycloaks - own - apart) | keys
