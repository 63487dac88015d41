"""Judgement of what needs a person: what ends, what fails, what waits."""

from dataclasses import replace
from typing import Any

import pytest

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_keys import certificate_ends_at
from keyturn_credentials.domain.notice_causes import (
    judge_certificate,
    judge_client,
    judge_readable,
    judge_realm_keys,
    judge_rotation,
    judge_secret,
    judge_url,
)
from keyturn_credentials.domain.realm import KeyState, Realm, RealmKey
from keyturn_credentials.domain.rotation import Alert, Kind, Move, Reason, Rotation, State
from keyturn_credentials.domain.secrets import ClientSecrets, StoredSecret
from keyturn_credentials.keystores.certificates import certificate_body
from keyturn_shared.key_sets.inspection import FetchedKey, KeySetHealth
from tests.testkit.key_material import issued

_DAY = 86_400.0
_NOW = 1_000 * _DAY
REALM = Realm("id", "acme")
BY_HAND = {"keyturn.rotation.automatic": "false"}
CLIENT = Client("uuid", "id", "orders", attributes=BY_HAND)
CERTIFICATE = certificate_body(issued("orders", "orders"))
WITH_CERTIFICATE = replace(
    CLIENT, authenticator="client-jwt", attributes={"jwt.credential.certificate": CERTIFICATE}
)
END_OF_CERTIFICATE = certificate_ends_at(WITH_CERTIFICATE) or 0.0
KEY = RealmKey("kid", "id", "ES256", KeyState.ACTIVE, {}, "", "sealed", 0.0, state_since=_NOW)


UNREADABLE = replace(CLIENT, secrets=ClientSecrets(StoredSecret("digest", _NOW, undecrypted="1.gone.x")))


def ending(client: Client, days: float) -> Client:
    secret = StoredSecret("digest", _NOW - 50 * _DAY, _NOW + days * _DAY, None)
    return replace(client, secrets=ClientSecrets(current=secret))


@pytest.mark.parametrize(
    ("realm", "client", "told"),
    [
        (REALM, CLIENT, False),
        (REALM, UNREADABLE, True),
        (REALM, replace(UNREADABLE, enabled=False), False),
        (replace(REALM, enabled=False), UNREADABLE, False),
    ],
)
def test_a_secret_that_cannot_be_decrypted(realm: Realm, client: Client, told: bool) -> None:
    found = judge_readable(realm, client)
    assert [each.kind.code for each in found] == (["secret_unreadable"] if told else [])


@pytest.mark.parametrize(
    ("days", "rotates", "codes"),
    [
        (20, False, []),
        (13, False, ["secret_ending"]),
        (13, True, []),
        (-1, False, ["secret_ended"]),
        (-1, True, ["secret_ended"]),
    ],
)
def test_a_secret(days: float, rotates: bool, codes: list[str]) -> None:
    found = judge_secret(REALM, ending(CLIENT, days), _NOW, rotates=rotates)
    assert [each.kind.code for each in found] == codes


@pytest.mark.parametrize(
    ("realm", "client"),
    [
        (replace(REALM, enabled=False), CLIENT),
        (REALM, replace(CLIENT, enabled=False)),
        (REALM, replace(CLIENT, document={"publicClient": True})),
        (REALM, replace(CLIENT, authenticator="client-jwt")),
    ],
)
def test_a_secret_that_nobody_uses_is_not_reported(realm: Realm, client: Client) -> None:
    assert list(judge_secret(realm, ending(client, -1), _NOW, rotates=False)) == []


@pytest.mark.parametrize(
    ("days", "rotates", "codes"),
    [
        (20, False, []),
        (13, False, ["certificate_ending"]),
        (13, True, []),
        (-1, False, ["certificate_ended"]),
    ],
)
def test_a_certificate(days: float, rotates: bool, codes: list[str]) -> None:
    now = END_OF_CERTIFICATE - days * _DAY
    found = judge_certificate(REALM, WITH_CERTIFICATE, now, rotates=rotates)
    assert [each.kind.code for each in found] == codes


@pytest.mark.parametrize(
    ("key", "overdue"),
    [
        (KEY, False),
        (replace(KEY, state_since=_NOW - 90 * _DAY), False),
        (replace(KEY, state_since=_NOW - 91 * _DAY), True),
        (replace(KEY, state_since=_NOW - 91 * _DAY, state=KeyState.RETIRING), False),
    ],
)
def test_a_realm_key_may_be_an_hour_late(key: RealmKey, overdue: bool) -> None:
    assert bool(list(judge_realm_keys(REALM, [key], _NOW))) is overdue


def test_how_soon_is_soon_is_the_realms_to_say() -> None:
    shorter = replace(REALM, attributes={"keyturn.notices.lead-time": str(3 * 86_400)})
    for days, found in ((4, []), (2, ["secret_ending"])):
        causes = judge_secret(shorter, ending(CLIENT, days), _NOW, rotates=False)
        assert [each.kind.code for each in causes] == found


HEALTH = KeySetHealth(
    url="https://orders.example/secret-path",
    networks=(),
    keys=(FetchedKey("k1", "a-thumbprint", "EC", None, None),),
    skipped=0,
    skipped_keys=(),
    last_success=_NOW - 100,
    last_change=_NOW - 100,
    fresh_until=_NOW - 50,
    stale_until=_NOW + 500,
    last_attempt=_NOW,
    attempts=9,
    failures=3,
    failure="timeout",
    failure_detail=None,
    polled=True,
    next_poll=None,
)
WITH_URL = replace(
    CLIENT,
    authenticator="client-jwt",
    attributes={"use.jwks.url": "true", "jwks.url": "https://orders.example/secret-path"},
)


@pytest.mark.parametrize(
    ("health", "codes"),
    [
        (None, []),
        (replace(HEALTH, failures=0), []),
        (replace(HEALTH, failures=2), []),
        (HEALTH, ["key_set_failing"]),
        (replace(HEALTH, stale_until=_NOW), ["key_set_unusable"]),
        (replace(HEALTH, stale_until=None, last_success=None, failures=1), ["key_set_unusable"]),
        (replace(HEALTH, keys=(), failures=1), ["key_set_unusable"]),
    ],
)
def test_a_jwks_url_that_fails(health: KeySetHealth | None, codes: list[str]) -> None:
    found = list(judge_url(REALM, WITH_URL, health, _NOW))
    assert [each.kind.code for each in found] == codes
    for cause in found:
        assert (cause.detail, cause.ends_at) == ("host orders.example", health and health.stale_until)
        assert "secret-path" not in str(cause)


def test_nobody_asks_for_the_url_of_a_client_that_is_disabled() -> None:
    assert list(judge_url(REALM, replace(WITH_URL, enabled=False), HEALTH, _NOW)) == []
    assert list(judge_url(replace(REALM, enabled=False), WITH_URL, HEALTH, _NOW)) == []


def rotation(state: State, **more: Any) -> Rotation:
    return Rotation(
        id="rotation-1",
        realm_id="id",
        client_uuid="uuid",
        kind=Kind.SECRET,
        reason=Reason.MANUAL,
        created_at=0.0,
        start_at=0.0,
        overlap=100,
        history=(Move(state, 0.0),),
        **more,
    )


@pytest.mark.parametrize(
    ("state", "alert", "told"),
    [
        (State.PREPARED, Alert.UNUSED, True),
        (State.PREPARED, None, False),
        (State.CANCELLED, Alert.UNUSED, False),
    ],
)
def test_a_rotation_that_waits_for_somebody(state: State, alert: Alert | None, told: bool) -> None:
    found = list(judge_rotation(rotation(state, alert=alert), CLIENT))
    assert [each.kind.code for each in found] == (["rotation_alert"] if told else [])


def test_of_a_client_everything_is_judged_at_once() -> None:
    under_way = [rotation(State.PREPARED, alert=Alert.UNUSED)]
    causes = list(judge_client(REALM, ending(CLIENT, -1), under_way, None, _NOW))
    assert [(each.subject, each.kind.code) for each in causes] == [
        ("client:uuid", "secret_ended"),
        ("rotation:rotation-1", "rotation_alert"),
    ]
