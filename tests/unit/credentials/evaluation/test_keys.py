"""Keys for an evaluation are those that a node would use: stored ones while fresh, else fetched ones."""

import math

import pytest
from msgspec.structs import replace

from keyturn_credentials.evaluation.keys import EvaluationKeys
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.jose.key_set import Candidates
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.key_sets.record import KeySetRecord
from keyturn_shared.oauth.key_errors import KeysUnavailableError, UnknownKidError
from keyturn_shared.oauth.trusted_issuers import TrustedIssuer
from keyturn_shared.projection import ClientProjection, ProjectedIssuer, RealmProjection
from tests.testkit.clocks import SetClock

URL = "https://client.example/jwks"
REALM = RealmProjection(id="r", name="acme")
CLIENT = ClientProjection(uuid="c", realm_id="r", client_id="orders", jwks_url=URL)
STORED, PUBLISHED = (SigningKey.generate(kid=kid) for kid in ("stored", "published"))
RECORD = KeySetRecord(
    url=URL,
    as_of=(1, 10),
    keys=(STORED.public_jwk,),
    fetched_at=1000.0,
    fresh_until=1300.0,
    stale_until=4900.0,
)
ISSUER = TrustedIssuer(
    ProjectedIssuer(id="i", alias="cluster", issuer="https://cluster", keys_url=URL), frozenset(), frozenset()
)


class Stored:
    """Fetchers' record; ``error`` is raised instead."""

    def __init__(self, record: KeySetRecord | None, error: Exception | None = None) -> None:
        self._record = record
        self._error = error

    async def record(self, address: object) -> KeySetRecord | None:
        if self._error is not None:
            raise self._error
        return self._record


class Fetched:
    """A fetcher that finds the published key, or raises ``error``."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error
        self.asked = 0
        self.newer_than: float | None = None

    async def find(
        self, *_: object, excluded: frozenset[str] = frozenset(), newer_than: float | None = None
    ) -> Candidates:
        self.asked += 1
        self.newer_than = newer_than
        if self._error is not None:
            raise self._error
        return Candidates([PUBLISHED.verification_key])


async def find(
    kid: str,
    *,
    record: KeySetRecord | None = RECORD,
    fetched: Fetched | None = None,
    owner: ClientProjection | TrustedIssuer = CLIENT,
    now: float = 1100.0,
    excluded: frozenset[str] = frozenset(),
    error: Exception | None = None,
) -> list[str]:
    keys = EvaluationKeys(Stored(record, error), fetched or Fetched(), SetClock(now))  # type: ignore[arg-type]  # what is used of them
    found = await keys.find(REALM, owner, kid, "ES256", excluded=excluded)
    return [key.kid for key in found]


async def test_a_fresh_stored_key_is_used_without_a_fetch() -> None:
    fetched = Fetched()
    assert await find("stored", fetched=fetched) == ["stored"]
    assert fetched.asked == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"record": None},
        {"kid": "published"},
        {"now": 1300.0},
        {"excluded": frozenset({STORED.verification_key.thumbprint})},
        {"owner": replace(CLIENT, keys_not_before=11)},
        {"error": RedisUnavailableError("away")},
    ],
    ids=["no record", "another key", "stale", "revoked", "keys of before", "Redis away"],
)
async def test_otherwise_the_url_is_fetched(changes: dict[str, object]) -> None:
    asked = {"kid": "stored", **changes}
    if "error" in changes:
        with pytest.raises(KeysUnavailableError):
            await find(**asked)  # type: ignore[arg-type]  # the parameters above
    else:
        assert await find(**asked) == ["published"]  # type: ignore[arg-type]  # the parameters above


async def test_what_is_fetched_must_be_newer_than_what_is_stored() -> None:
    fetched = Fetched()
    await find("published", fetched=fetched, now=1100.0)
    assert fetched.newer_than == 100.0
    await find("published", fetched=fetched, record=None)
    assert fetched.newer_than == math.inf


async def test_lapsed_keys_are_used_if_no_fetch_is_possible() -> None:
    broken = Fetched(KeysUnavailableError("no"))
    assert await find("stored", fetched=broken, now=1300.0) == ["stored"]
    with pytest.raises(KeysUnavailableError):
        await find("stored", fetched=broken, now=4900.0)
    with pytest.raises(KeysUnavailableError):
        await find("other", fetched=broken, now=1300.0)


async def test_a_revoked_key_is_returned_if_there_is_no_other() -> None:
    """The signature check then refuses it with the true reason."""
    revoked = replace(CLIENT, revoked_thumbprints=frozenset({STORED.verification_key.thumbprint}))
    unknown = Fetched(UnknownKidError("no"))
    assert await find("stored", fetched=unknown, owner=revoked) == ["stored"]
    with pytest.raises(UnknownKidError):
        await find("other", fetched=unknown)


async def test_keys_of_an_issuer_are_only_those_that_fetchers_stored() -> None:
    fetched = Fetched()
    assert await find("stored", owner=ISSUER, fetched=fetched) == ["stored"]
    with pytest.raises(UnknownKidError):
        await find("published", owner=ISSUER, fetched=fetched)
    with pytest.raises(KeysUnavailableError):
        await find("stored", owner=ISSUER, record=None, fetched=fetched)
    assert fetched.asked == 0


async def test_an_unreadable_record_has_no_keys() -> None:
    private = replace(RECORD, keys=({**STORED.public_jwk, "d": "AA"},))
    assert await find("stored", record=private) == ["published"]
