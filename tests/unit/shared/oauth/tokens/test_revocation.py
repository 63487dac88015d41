"""Revocations of tokens, sealed on their way from a node to the credentials service."""

from dataclasses import dataclass

import msgspec
import pytest

from keyturn_shared.jose.errors import MalformedError
from keyturn_shared.oauth.tokens.revocation import TokenToRevoke, open_revocation, seal_revocation
from keyturn_shared.realm_rings import FleetRing, LimitedRings
from keyturn_shared.sealing import KeyRing, SealError

KEY = KeyRing.generate_key()
CONTEXT = "token-revocation"


@dataclass
class Fleet:
    """The keys of the fleet, which the credentials service has, and of one realm, which its nodes have."""

    whole: FleetRing

    def limited(self, realm_id: str) -> LimitedRings:
        return LimitedRings.from_text(self.whole.keys_of(realm_id))


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(FleetRing.read(KEY, by_realm=True))


def token(realm_id: str | None = "one:two/three") -> TokenToRevoke:
    return TokenToRevoke(
        realm="acme", client_uuid="u", client_id="c", digest="d" * 32, expires_at=7.5, realm_id=realm_id
    )


def test_what_is_sealed_for_a_realm_is_opened_as_it_was(fleet: Fleet) -> None:
    """An id may have any characters, those that separate it from what is sealed too."""
    sealed = seal_revocation(token(), fleet.limited("one:two/three"))
    assert sealed.startswith("one%3Atwo%2Fthree:")
    assert open_revocation(sealed, fleet.whole) == token()


def test_a_node_of_an_earlier_build_seals_under_the_keys_of_the_whole_fleet(fleet: Fleet) -> None:
    sealed = fleet.whole.seal(msgspec.json.encode(token(None)), CONTEXT)
    assert open_revocation(sealed, fleet.whole) == token(None)


def test_the_realm_is_the_one_whose_keys_sealed_it_whatever_it_says_itself(fleet: Fleet) -> None:
    sealed = fleet.whole.find("mine").seal(msgspec.json.encode(token("another")), CONTEXT)
    assert open_revocation(f"mine:{sealed}", fleet.whole) == token("mine")
    with pytest.raises(SealError):
        open_revocation(f"another:{sealed}", fleet.whole)


@pytest.mark.parametrize("context", ["token-revocations", "TOKEN-REVOCATION", "client-secret:u"])
def test_what_was_sealed_for_something_else_is_no_revocation(fleet: Fleet, context: str) -> None:
    sealed = fleet.whole.find("mine").seal(msgspec.json.encode(token("mine")), context)
    with pytest.raises(SealError):
        open_revocation(f"mine:{sealed}", fleet.whole)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"realm":7}'])
def test_what_is_no_token_is_malformed(fleet: Fleet, body: bytes) -> None:
    with pytest.raises(MalformedError, match="no token to revoke"):
        open_revocation(f"mine:{fleet.whole.find('mine').seal(body, CONTEXT)}", fleet.whole)


def test_nothing_is_sealed_without_the_realms_keys(fleet: Fleet) -> None:
    with pytest.raises(SealError):
        seal_revocation(token("another"), fleet.limited("mine"))
    with pytest.raises(SealError):
        seal_revocation(token(None), fleet.limited("mine"))
