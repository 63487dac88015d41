"""A holder of some realms' keys decrypts their data, and nothing of others."""

import pytest

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.realm_rings import FleetRing, LimitedRings
from keyturn_shared.sealing import KeyRing, SealError

OLD, NEW = KeyRing.generate_key(), KeyRing.generate_key()
CONTEXT = "client-secret:1"


def fleet(*keys: str, by_realm: bool = True) -> FleetRing:
    return FleetRing.read(",".join(keys), by_realm=by_realm)


def limited(ring: FleetRing, *realm_ids: str) -> LimitedRings:
    return LimitedRings.from_text(",".join(map(ring.keys_of, realm_ids)))


def test_a_limited_ring_opens_and_compares_what_the_fleet_sealed_for_its_realm() -> None:
    whole = fleet(OLD)
    mine = limited(whole, "a", "b").require("a")
    assert mine.open(whole.find("a").seal(b"x", CONTEXT), CONTEXT) == b"x"
    assert mine.matches("x", whole.find("a").digest("x", CONTEXT), CONTEXT)
    assert whole.find("a").open(mine.seal(b"y", CONTEXT), CONTEXT) == b"y"


def test_a_limited_ring_opens_nothing_of_other_realms_or_of_the_whole_fleet() -> None:
    whole = fleet(OLD)
    rings = limited(whole, "a", "b")
    for foreign in (whole.find("c"), fleet(OLD, by_realm=False).find("a"), whole, fleet(NEW).find("a")):
        sealed, digest = foreign.seal(b"x", CONTEXT), foreign.digest("x", CONTEXT)
        for realm_id in ("a", "b"):
            with pytest.raises(SealError):
                rings.require(realm_id).open(sealed, CONTEXT)
            with pytest.raises(SealError):
                rings.require(realm_id).matches("x", digest, CONTEXT)
    with pytest.raises(SealError):
        rings.require("a").open(whole.find("b").seal(b"x", CONTEXT), CONTEXT)


def test_a_realm_whose_keys_are_not_there_is_not_found() -> None:
    rings = limited(fleet(OLD), "a")
    assert rings.find("a") is not None
    assert rings.find("b") is None
    with pytest.raises(SealError):
        rings.require("b")


@pytest.mark.parametrize("by_realm", [True, False])
def test_whoever_has_the_fleet_keys_opens_both_forms(by_realm: bool) -> None:
    ring = fleet(OLD, by_realm=by_realm).find("a")
    for form in (True, False):
        made = fleet(OLD, by_realm=form).find("a")
        assert ring.open(made.seal(b"x", CONTEXT), CONTEXT) == b"x"
        assert ring.matches("x", made.digest("x", CONTEXT), CONTEXT)
        assert ring.is_current(made.seal(b"x", CONTEXT)) is (form is by_realm)


def test_the_keys_of_realms_follow_a_rotation_of_the_fleet_keys() -> None:
    former, both, later = fleet(OLD), fleet(NEW, OLD), fleet(NEW)
    sealed_before = former.find("a").seal(b"x", CONTEXT)
    sealed_after = both.find("a").seal(b"x", CONTEXT)
    during = limited(both, "a").require("a")
    assert during.open(sealed_before, CONTEXT) == during.open(sealed_after, CONTEXT) == b"x"
    assert not both.find("a").is_current(sealed_before)
    after = limited(later, "a").require("a")
    assert after.open(sealed_after, CONTEXT) == b"x"
    with pytest.raises(SealError):
        after.open(sealed_before, CONTEXT)


def test_what_belongs_to_a_digest_is_sealed_under_its_key() -> None:
    """An instance that is about to use other keys first therefore changes no half of it."""
    ring = fleet(OLD, by_realm=False).find("a")
    digest = fleet(OLD).find("a").digest("x", CONTEXT)
    assert KeyRing.key_id_of(ring.seal(b"x", CONTEXT, like=digest)) == KeyRing.key_id_of(digest)
    unknown = fleet(NEW).find("a").digest("x", CONTEXT)
    assert ring.is_current(ring.seal(b"x", CONTEXT, like=unknown))


def test_the_ids_of_realms_keys_are_told_from_those_of_the_fleet_keys_by_their_length() -> None:
    assert len(fleet(OLD).find("a").current_key_id) == 12
    assert len(fleet(OLD, by_realm=False).find("a").current_key_id) == 8


@pytest.mark.parametrize("realm_id", ["a,b", "a:b", "a%2Cb", "ä b", "0b1c8f6e-0000-4000-8000-000000000001"])
def test_an_id_may_have_any_characters(realm_id: str) -> None:
    whole = fleet(NEW, OLD)
    text = ",".join((whole.keys_of("other"), whole.keys_of(realm_id)))
    assert text.isascii()
    ring = LimitedRings.from_text(text).require(realm_id)
    assert ring.open(whole.find(realm_id).seal(b"x", ""), "") == b"x"


@pytest.mark.parametrize(
    "text",
    [
        *("", ",", "a", "a:", ":" + "A" * 43, "a:" + "A" * 42, "a:" + "*" * 43),
        # Drawn in every process, so they cannot name tests.
        pytest.param(OLD, id="a fleet key"),
        pytest.param(f"{OLD},{NEW}", id="two fleet keys"),
    ],
)
def test_what_is_no_text_of_keys_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        LimitedRings.from_text(text)
    assert "keyturn realm-keys" in refused.value.detail
    assert "A" * 42 not in refused.value.detail
    assert OLD not in refused.value.detail


def test_a_realm_that_stands_there_twice_is_named() -> None:
    text = fleet(OLD).keys_of("acme-id")
    with pytest.raises(ConfigurationError, match="acme-id is listed twice"):
        LimitedRings.from_text(f"{text},{text}")


def test_no_key_is_shown_when_rings_are_printed() -> None:
    whole = fleet(OLD)
    for shown in (repr(limited(whole, "a")), repr(whole), repr(whole.find("a"))):
        assert OLD not in shown
        assert whole.keys_of("a").partition(":")[2] not in shown
