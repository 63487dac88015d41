"""Settings that contradict each other are refused with one clear line."""

import pytest
from pydantic import ValidationError

from keyturn_shared.errors import ConfigurationError
from tests.testkit.admin_api import settings_for


@pytest.mark.parametrize(("events", "audit"), [(None, None), (30, None), (30, 30), (1, 365)])
def test_who_made_a_change_is_known_as_long_as_the_change(events: int | None, audit: int | None) -> None:
    settings = settings_for("", "", event_retention_days=events, audit_retention_days=audit)
    assert (settings.event_retention_days, settings.audit_retention_days) == (events, audit)


def test_the_deleted_are_known_while_their_tokens_may_be_good() -> None:
    with pytest.raises(ValidationError, match="audit_retention_days"):
        settings_for("", "", event_retention_days=1, audit_retention_days=1)


@pytest.mark.parametrize(("events", "audit"), [(None, 30), (30, 29)])
def test_a_change_that_nobody_made_is_not_kept(events: int | None, audit: int | None) -> None:
    with pytest.raises(ConfigurationError, match="KEYTURN_AUDIT_RETENTION_DAYS"):
        settings_for("", "", event_retention_days=events, audit_retention_days=audit)


@pytest.mark.parametrize("name", ["trusted_proxies", "jwks_allowed_networks"])
def test_networks_are_read_as_verifiers_read_them_and_what_is_none_is_named(name: str) -> None:
    read = settings_for("", "", **{name: "192.0.2.1, 2001:db8::/32,"})
    assert [str(network) for network in getattr(read, name)] == ["192.0.2.1/32", "2001:db8::/32"]
    for wrong in ("*", "10.0.0.1/8", "gateway"):
        with pytest.raises(ValidationError, match="is not a network"):
            settings_for("", "", **{name: wrong})
