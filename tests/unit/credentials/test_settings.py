"""Settings that contradict each other are refused with one clear line."""

import pytest
from pydantic import ValidationError

from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.keys import FETCHER, LogSigningKeys
from tests.testkit.admin_api import settings_for


@pytest.mark.parametrize(("events", "audit"), [(None, None), (30, None), (30, 30), (1, 365)])
def test_who_made_a_change_is_known_as_long_as_the_change(events: int | None, audit: int | None) -> None:
    settings = settings_for(
        "sqlite+aiosqlite://",
        "redis://nobody.invalid",
        event_retention_days=events,
        audit_retention_days=audit,
    )
    assert (settings.event_retention_days, settings.audit_retention_days) == (events, audit)


def test_the_deleted_are_known_while_their_tokens_may_be_good() -> None:
    with pytest.raises(ValidationError, match="audit_retention_days"):
        settings_for(
            "sqlite+aiosqlite://", "redis://nobody.invalid", event_retention_days=1, audit_retention_days=1
        )


@pytest.mark.parametrize(("events", "audit"), [(None, 30), (30, 29)])
def test_a_change_that_nobody_made_is_not_kept(events: int | None, audit: int | None) -> None:
    with pytest.raises(ConfigurationError, match="KEYTURN_AUDIT_RETENTION_DAYS"):
        settings_for(
            "sqlite+aiosqlite://",
            "redis://nobody.invalid",
            event_retention_days=events,
            audit_retention_days=audit,
        )


@pytest.mark.parametrize("name", ["trusted_proxies", "jwks_allowed_networks"])
def test_networks_are_read_as_verifiers_read_them_and_what_is_none_is_named(name: str) -> None:
    read = settings_for(
        "sqlite+aiosqlite://", "redis://nobody.invalid", **{name: "192.0.2.1, 2001:db8::/32,"}
    )
    assert [str(network) for network in getattr(read, name)] == ["192.0.2.1/32", "2001:db8::/32"]
    for wrong in ("*", "10.0.0.1/8", "gateway"):
        with pytest.raises(ValidationError, match="is not a network"):
            settings_for("sqlite+aiosqlite://", "redis://nobody.invalid", **{name: wrong})


SIGNING_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def receiver_of(**values: str) -> CredentialsSettings:
    return settings_for("sqlite+aiosqlite://", "redis://nobody.invalid", **values)


@pytest.mark.parametrize(
    ("url", "networks"),
    [
        ("https://hooks.example.com/keyturn?token=abc", ""),
        ("https://1.1.1.1:8443/", ""),
        ("https://10.1.2.3/", "10.0.0.0/8"),
        ("http://10.1.2.3/", "10.0.0.0/8"),
        ("http://hooks.internal/", "10.0.0.0/8"),
    ],
)
def test_a_receiver_of_webhooks_that_could_be_reached_is_accepted(url: str, networks: str) -> None:
    settings = receiver_of(
        notices_webhook_url=url, notices_webhook_secret=SIGNING_SECRET, notices_allowed_networks=networks
    )
    receiver = settings.receiver()
    assert receiver is not None
    assert receiver.url == url
    assert "hooks" not in repr(receiver)


@pytest.mark.parametrize(
    ("url", "networks", "reason"),
    [
        ("hooks.example.com", "", "the scheme"),
        ("ftp://hooks.example.com/", "", "the scheme"),
        ("https://user:password@hooks.example.com/", "", "user information"),
        ("https://hooks.example.com/#fragment", "", "a fragment"),
        ("https://hooks.example.com:25/", "", "port 25"),
        ("https://127.0.0.1/", "", "not public"),
        ("https://169.254.169.254/", "10.0.0.0/8", "not public"),
        ("https://[::ffff:10.0.0.1]/", "", "not public"),
        ("https://0x7f.1/", "", "unusual form"),
        ("http://hooks.example.com/", "", "plain http"),
        ("http://1.1.1.1/", "10.0.0.0/8", "plain http"),
    ],
)
def test_a_receiver_to_which_nothing_would_be_sent_refuses_the_start(
    url: str, networks: str, reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=reason) as refused:
        receiver_of(
            notices_webhook_url=url, notices_webhook_secret=SIGNING_SECRET, notices_allowed_networks=networks
        )
    assert refused.value.detail.startswith("KEYTURN_NOTICES_WEBHOOK_URL: ")
    assert "password" not in refused.value.detail


def test_everything_that_is_wrong_with_a_receiver_is_said_at_once() -> None:
    with pytest.raises(ConfigurationError) as refused:
        receiver_of(notices_webhook_url="http://hooks.example.com/", notices_webhook_secret="too-short")
    assert [line.partition(":")[0] for line in refused.value.detail.split("\n")] == [
        "KEYTURN_NOTICES_WEBHOOK_URL",
        "KEYTURN_NOTICES_WEBHOOK_SECRET",
    ]
    assert "too-short" not in refused.value.detail


def test_url_and_secret_of_a_receiver_belong_together() -> None:
    for name, value in (
        ("notices_webhook_url", "https://hooks.example.com/"),
        ("notices_webhook_secret", SIGNING_SECRET),
    ):
        with pytest.raises(ConfigurationError, match="required with"):
            receiver_of(**{name: value})
    assert receiver_of().receiver() is None


def test_the_audit_log_is_signed_by_keys_that_no_node_has() -> None:
    former, new = KeyRing.generate_key(), KeyRing.generate_key()
    keys = {"encryption_keys": f"{new},{former}=", "fleet_keys": new}
    settings = settings_for("sqlite+aiosqlite://", "redis://nobody.invalid", **keys)
    audit = settings.audit_keys()
    assert len(audit.key_ids) == 2
    assert audit.current_key_id == audit.key_ids[0]
    of_nodes = LogSigningKeys.derived_from(new), LogSigningKeys.derived_from(new, FETCHER)
    assert not {key for each in of_nodes for key in each.key_ids} & set(audit.key_ids)
    rotated = settings_for(
        "sqlite+aiosqlite://", "redis://nobody.invalid", encryption_keys=former, fleet_keys=new
    )
    assert rotated.audit_keys().key_ids == audit.key_ids[1:]
