"""docs/attack-suite.md counts the existing attacks."""

from collections.abc import Sized
from pathlib import Path

from tests.integration.attacks.test_endpoint_attacks import FRONTS
from tests.integration.http_edges.attacks.test_http_attacks import FRONTS as HTTP_FRONTS
from tests.testkit.http_reading.streams import FAMILIES
from tests.unit.shared.jose.attacks import (
    algorithms,
    headers,
    key_sets,
    keys,
    serialization,
    signatures,
    times,
)
from tests.unit.shared.jose.test_wycheproof import TOTALS

PAGE = Path(__file__).parents[3] / "docs" / "attack-suite.md"
TOKEN_FRONTS = {
    "algorithms": algorithms.ATTACKS,
    "headers": headers.ATTACKS,
    "serialization": serialization.ATTACKS,
    "signatures": signatures.ATTACKS,
    "keys": keys.ATTACKS,
    "key sets": key_sets.ATTACKS,
    "times": times.ATTACKS,
}


def test_the_page_counts_the_cases_and_vectors_that_are_run() -> None:
    rows = [
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in PAGE.read_text().splitlines()
        if line.startswith("| ")
    ]
    counted = {row[:2] for row in rows} | {row[:3] for row in rows}
    fronts: dict[str, Sized] = {**TOKEN_FRONTS, **FRONTS, **HTTP_FRONTS, **FAMILIES}
    for front, attacks in fronts.items():
        assert (front, str(len(attacks))) in counted, (front, len(attacks))
    for (said, became), vectors in TOTALS.items():
        assert (said, became, str(vectors)) in counted, (said, became, vectors)
