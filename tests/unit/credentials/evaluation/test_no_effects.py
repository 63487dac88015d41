"""Stand-ins that leave no trace have the size and the answers of what they stand for."""

import pytest

from keyturn_credentials.evaluation.no_effects import UnmarkedAssertions, UnsignedTokens
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.partitions import Partitioning
from keyturn_shared.fleet.replay import AssertionUse
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES
from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.jose.errors import BadSignatureError
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.jose.verify import verify_signature
from keyturn_shared.oauth.errors import BeforeReplayBarrierError, ReplayedError

USE = AssertionUse(("named", "uuid"), "jti", 60.0, 1000.0)


@pytest.mark.parametrize("alg", sorted(ASYMMETRIC_NAMES))
def test_a_preview_has_the_header_and_size_of_a_token_and_no_signature(alg: str) -> None:
    key = SigningKey.generate(alg)
    stand_in = UnsignedTokens(key.public_jwk)
    claims = {"iss": "https://id.example", "aud": "api"}
    preview = stand_in.sign_compact(stand_in.header_segment("at+jwt"), claims)
    token = key.sign_compact(key.header_segment("at+jwt"), claims)
    assert len(preview) == len(token)
    assert preview.rpartition(".")[0] == token.rpartition(".")[0]
    with pytest.raises(BadSignatureError):
        verify_signature(parse_compact(preview), key.verification_key)


class Found:
    """Scripts that find these outcomes, by partition."""

    def __init__(self, outcomes: dict[int, int]) -> None:
        self.outcomes = {Layout(number).head: outcome for number, outcome in outcomes.items()}
        self.asked: list[str] = []

    async def run(self, name: str, keys: list[str], arguments: list[object]) -> list[object]:
        assert name == "find_assertions"
        self.asked.append(keys[0])
        return [b"found", self.outcomes.get(keys[0], 1)]


async def _check(found: Found, counts: tuple[int, ...]) -> None:
    async def partitioning() -> Partitioning:
        return Partitioning(counts)

    await UnmarkedAssertions(found, partitioning, 15.0).mark_used(USE)  # type: ignore[arg-type]  # one method


@pytest.mark.parametrize("counts", [(1,), (4,), (1, 4), (4, 8)])
async def test_each_partition_of_an_assertion_is_asked(counts: tuple[int, ...]) -> None:
    expected = Partitioning(counts).of(USE.jti)
    found = Found({})
    await _check(found, counts)
    assert found.asked == [Layout(number).head for number in expected]
    for number in expected:
        with pytest.raises(ReplayedError):
            await _check(Found({number: 0}), counts)
        with pytest.raises(BeforeReplayBarrierError):
            await _check(Found({number: 2}), counts)
    with pytest.raises(ReplayedError):
        await _check(Found({expected[0]: 2, expected[-1]: 0}), counts)
