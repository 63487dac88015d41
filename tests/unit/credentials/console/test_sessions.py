"""Sessions and one-time links are encrypted, expire, and cannot be confused with each other."""

import pytest
from msgspec import structs

from keyturn_credentials.console.sessions import (
    LONGEST_SESSION_SECONDS,
    SESSION_SECONDS,
    TICKET_SECONDS,
    SessionSealer,
    cookie_name,
)
from keyturn_credentials.store.ended_sign_ins import KEPT_SECONDS
from keyturn_shared.sealing import KeyRing
from tests.testkit.clocks import SetClock


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def sealer(clock: SetClock) -> SessionSealer:
    return SessionSealer(KeyRing([b"k" * 32], purpose="encryption"), clock)


def test_a_session_is_read_until_it_is_over(sealer: SessionSealer, clock: SetClock) -> None:
    session, cookie = sealer.open_session("master", "uuid", "admin", 5.0)
    assert sealer.read_session(cookie) == session
    assert (session.realm, session.client_id, session.secret_made) == ("master", "admin", 5.0)
    clock.time += SESSION_SECONDS
    assert sealer.read_session(cookie) is None


def test_work_renews_a_session_until_its_longest_duration(sealer: SessionSealer, clock: SetClock) -> None:
    session, cookie = sealer.open_session("master", "uuid", "admin", 5.0)
    began = clock.time
    while clock.time < began + LONGEST_SESSION_SECONDS - SESSION_SECONDS:
        clock.time += SESSION_SECONDS - 1
        renewed, cookie = sealer.renew_session(session)
        assert sealer.read_session(cookie) == renewed
        assert (renewed.csrf, renewed.number, renewed.began_at) == (session.csrf, session.number, began)
        session = renewed
    clock.time = session.expires_at - 1
    renewed, cookie = sealer.renew_session(session)
    assert renewed.expires_at == began + LONGEST_SESSION_SECONDS
    clock.time = renewed.expires_at
    assert sealer.read_session(cookie) is None


def test_a_session_of_a_former_release_began_before_its_expiry(sealer: SessionSealer) -> None:
    """Its cookie has no time of the sign-in."""
    session, _ = sealer.open_session("master", "uuid", "admin", 5.0)
    former = structs.replace(session, began=0.0)
    assert former.began_at == session.began_at
    assert sealer.renew_session(former)[0].began_at == session.began_at


def test_every_session_has_a_token_and_a_number_of_its_own(sealer: SessionSealer) -> None:
    one, first = sealer.open_session("master", "uuid", "admin", 5.0)
    other, second = sealer.open_session("master", "uuid", "admin", 5.0)
    assert first != second
    assert len({one.csrf, one.number, other.csrf, other.number}) == 4
    assert one.csrf not in first


def test_a_link_is_read_until_it_is_over_and_is_no_session(sealer: SessionSealer, clock: SetClock) -> None:
    text = sealer.issue_ticket("master", "admin")
    ticket = sealer.read_ticket(text)
    assert ticket is not None
    assert (ticket.realm, ticket.client_id) == ("master", "admin")
    assert sealer.read_session(text) is None
    _, cookie = sealer.open_session("master", "uuid", "admin", 5.0)
    assert sealer.read_ticket(cookie) is None
    clock.time += TICKET_SECONDS
    assert sealer.read_ticket(text) is None


@pytest.mark.parametrize("text", ["", "x", "1.abc.def", "\N{SNOWMAN}", "a" * 5000])
def test_anything_else_is_nobodys(sealer: SessionSealer, text: str) -> None:
    assert sealer.read_session(text) is None
    assert sealer.read_ticket(text) is None


def test_over_https_the_cookie_is_bound_to_the_host() -> None:
    assert cookie_name(secure=True) == "__Host-keyturn_session"
    assert cookie_name(secure=False) == "keyturn_session"


def test_an_end_is_remembered_for_longer_than_any_session_lasts() -> None:
    assert KEPT_SECONDS >= LONGEST_SESSION_SECONDS + 3600
