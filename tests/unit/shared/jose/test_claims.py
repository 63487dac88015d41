"""Times are checked with one leeway, and the lifetime cap limits a token's use, as in Keycloak."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keyturn_shared.jose.claims import check_times
from keyturn_shared.jose.errors import JoseError

NOW = 1_000_000.0


def _judge(claims: dict[str, Any], **options: Any) -> float | str:
    """Return when the claims stop being accepted, or the code of their refusal."""
    try:
        return check_times(claims, now=NOW, **options)
    except JoseError as error:
        return error.code


@pytest.mark.parametrize(
    ("claims", "outcome"),
    [
        ({"exp": NOW + 60, "iat": NOW}, NOW + 61),
        ({"exp": NOW + 60, "iat": NOW + 0.75}, NOW + 61),
        ({"exp": NOW + 60, "iat": NOW - 60}, NOW + 1),
        ({"exp": NOW + 60, "iat": NOW - 61}, "lifetime_too_long"),
        ({"exp": NOW + 60}, NOW + 75),
        ({"exp": NOW + 75}, NOW + 90),
        ({"exp": NOW + 75.5}, "lifetime_too_long"),
        ({"exp": NOW - 14.9}, NOW + 0.1),
        ({"exp": NOW - 15}, "expired"),
        ({"exp": NOW + 60, "iat": NOW + 15}, NOW + 75),
        ({"exp": NOW + 60, "iat": NOW + 15.1}, "not_yet_valid"),
        ({"exp": NOW + 60, "nbf": NOW + 15}, NOW + 75),
        ({"exp": NOW + 60, "nbf": NOW + 15.1}, "not_yet_valid"),
        ({"exp": NOW + 44, "iat": NOW - 1}, NOW + 59),
        ({"exp": NOW + 60, "iat": NOW - 1}, NOW + 60),
        ({"exp": NOW + 300, "iat": NOW - 1}, NOW + 60),
        ({"exp": NOW + 600, "iat": NOW - 1}, NOW + 60),
        ({"exp": NOW + 3600, "iat": NOW - 1}, NOW + 60),
        ({"exp": NOW + 3600}, "lifetime_too_long"),
        ({"exp": NOW + 30, "iat": NOW - 10}, NOW + 45),
        ({"exp": NOW - 20, "iat": NOW + 20}, "expired"),
        ({"iat": NOW}, "missing_claim"),
        ({}, "missing_claim"),
    ],
)
def test_boundaries_with_the_usual_leeway_and_cap(claims: dict[str, Any], outcome: float | str) -> None:
    """The leeway is 15 seconds, the lifetime 60 from ``iat``: a token of SMART clients, MSAL or Authlib for
    five minutes, ten, or an hour is accepted while it is young."""
    judged = _judge(claims)
    assert judged == (pytest.approx(outcome) if isinstance(outcome, float) else outcome)


@pytest.mark.parametrize(
    ("claims", "outcome"),
    [
        ({"exp": NOW + 60, "iat": NOW}, NOW + 61),
        ({"exp": NOW + 59, "iat": NOW - 1}, NOW + 60),
        ({"exp": NOW + 60, "iat": NOW - 1}, "lifetime_too_long"),
        ({"exp": NOW + 3600, "iat": NOW}, "lifetime_too_long"),
    ],
)
def test_a_long_declared_lifetime_can_be_refused_at_once(
    claims: dict[str, Any], outcome: float | str
) -> None:
    assert _judge(claims, cap_declared_lifetime=True) == outcome


def test_without_a_cap_only_exp_ends_it() -> None:
    """A realm's access tokens live until they expire."""
    assert _judge({"exp": NOW + 86_400, "iat": NOW - 86_400}, lifetime_cap=None) == NOW + 86_415


# Whole and half seconds: sums of them are exact.
_times = st.integers(-400, 400).map(lambda halves: NOW + halves / 2)


@settings(deadline=None)
@example(exp=NOW + 1.5, iat=NOW, nbf=None, leeway=0, cap=1, capped=False)
@given(
    exp=_times,
    iat=st.none() | _times,
    nbf=st.none() | _times,
    leeway=st.integers(0, 30),
    cap=st.integers(1, 120),
    capped=st.booleans(),
)
def test_no_token_outlives_the_cap(
    exp: float, iat: float | None, nbf: float | None, leeway: int, cap: int, capped: bool
) -> None:
    """An accepted token is refused from the returned moment on, which cap and leeway limit. By ``iat``, a
    second that has begun counts."""
    claims = {name: value for name, value in (("exp", exp), ("iat", iat), ("nbf", nbf)) if value is not None}
    options: dict[str, Any] = {"leeway": leeway, "lifetime_cap": cap, "cap_declared_lifetime": capped}
    refused_from = _judge(claims, **options)
    if isinstance(refused_from, str):
        return
    assert NOW < refused_from <= NOW + cap + max(2 * leeway, leeway + 1)
    with pytest.raises(JoseError):
        check_times(claims, now=refused_from, **options)
