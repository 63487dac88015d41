"""The fleet's memory of used assertions, and its duration."""

from collections.abc import Sequence
from typing import Any

import pytest

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.replay import (
    AssertionRegistry,
    AssertionUse,
    MarkedUses,
    UnexpectedClaimantError,
    UseOutcome,
    issuers_of,
    names_of_issuer,
)
from keyturn_shared.fleet.scripts import Argument, Call
from keyturn_shared.projection import ClientProjection, ProjectedIssuer, RealmProjection


class Recorded:
    """Scripts that record their arguments."""

    def __init__(self, reply: Any) -> None:
        self.reply = reply
        self.name = ""
        self.keys: list[str] = []
        self.arguments: list[Argument] = []

    async def run(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        self.name, self.keys, self.arguments = name, list(keys), list(arguments)
        return self.reply

    async def run_many(self, name: str, calls: Sequence[Call]) -> list[Any]:
        return [await self.run(name, *call) for call in calls]


@pytest.mark.parametrize(("seconds", "milliseconds"), [(60.0, 75_000), (0.0, 15_000), (-3.0, 15_000)])
async def test_a_use_is_remembered_until_the_slowest_clock_refuses_the_assertion(
    seconds: float, milliseconds: int
) -> None:
    scripts = Recorded([b"claimed", b"7", 1])
    use = AssertionUse(("client",), "jti", seconds, issued_at=1_700_000_000.25)
    marked = await AssertionRegistry(scripts, 15.0).mark_used([use])
    [(mark, kept)] = marked.marks[0]
    assert marked == MarkedUses(7, (UseOutcome.MARKED,), [[(mark, milliseconds / 1000)]])
    assert scripts.keys[2:] == [mark]
    assert kept == milliseconds / 1000
    assert scripts.arguments == [15_000, "", 1, milliseconds, 1_700_000_000_250]


async def test_a_redis_that_is_not_trusted_is_no_memory() -> None:
    with pytest.raises(RedisUnavailableError):
        await AssertionRegistry(Recorded([b"untrusted"]), 15.0).mark_used(
            [AssertionUse(("client",), "jti", 1.0, 0.0)]
        )


def test_a_client_made_again_has_the_mark_of_the_one_before_and_no_other_client_has_it() -> None:
    former, again = (ClientProjection(uuid=uuid, realm_id="r", client_id="c") for uuid in ("1", "2"))
    assert set(issuers_of("realm", former)) & set(issuers_of("realm", again))
    other = ClientProjection(uuid="3", realm_id="r", client_id="d")
    assert not set(issuers_of("realm", former)) & set(issuers_of("realm", other))
    elsewhere = ClientProjection(uuid="4", realm_id="q", client_id="c")
    assert not set(issuers_of("realm", former)) & set(issuers_of("another", elsewhere))


def test_an_issuer_has_its_marks_in_its_realm_whatever_its_id() -> None:
    """A realm's administrator chooses the id, which can be that of another realm's issuer or client."""
    issuer, again, moved = (
        ProjectedIssuer(id=chosen, alias="a", issuer=named, keys_url="https://a.example")
        for chosen, named in (("u", "https://a"), ("v", "https://a"), ("u", "https://b"))
    )
    acme, renamed, other = (
        RealmProjection(id=realm_id, name=name) for realm_id, name in (("r", "acme"), ("r", "b"), ("q", "c"))
    )
    marks = set(names_of_issuer(acme, issuer))
    for realm, one in ((acme, again), (acme, moved), (renamed, issuer)):
        assert marks & set(names_of_issuer(realm, one))
    assert not marks & set(names_of_issuer(other, issuer))
    assert not marks & set(issuers_of("acme", CLIENT))


def test_nodes_of_earlier_releases_find_the_mark_by_the_uuid() -> None:
    assert "uuid" in issuers_of("realm", ClientProjection(uuid="uuid", realm_id="r", client_id="c"))


CLIENT = ClientProjection(uuid="u", realm_id="r", client_id="worker")


def test_every_node_looks_for_the_same_marks() -> None:
    """Of whichever release: another name would let an assertion in once more."""
    assert issuers_of("acme", CLIENT) == ("d95f1bf59e793b5a16712954c4fc79ed", "u")
    assert Layout().assertion("i", "j") == "kt:{0}:jti:i:dada1933e852f44aa87cc82c96012ad8"


async def test_each_use_is_marked_under_every_name_of_whoever_signed_it() -> None:
    scripts = Recorded([b"claimed", b"7", 1, 0])
    registry = AssertionRegistry(scripts, 15.0, claimant="node")
    uses = [AssertionUse(("a", "b"), "j", 60.0, 1.0), AssertionUse(("c",), "k", 5.0, 2.0)]
    layout = Layout()
    marks = [(layout.assertion("a", "j"), 75.0), (layout.assertion("b", "j"), 75.0)]
    assert registry.marks(uses[0]) == marks
    assert (await registry.mark_used(uses)).outcomes == (UseOutcome.MARKED, UseOutcome.USED)
    assert scripts.name == "claim_assertions"
    assert scripts.keys == [
        layout.head,
        layout.claimants,
        *(key for key, _ in marks),
        layout.assertion("c", "k"),
    ]
    assert scripts.arguments == [15_000, "node", 2, 75_000, 1_000, 1, 20_000, 2_000]


async def test_who_is_not_admitted_yet_is_told_so() -> None:
    with pytest.raises(UnexpectedClaimantError):
        await AssertionRegistry(Recorded([b"unexpected"]), 15.0, claimant="node").mark_used([])


@pytest.mark.parametrize(("reply", "returned"), [(b"returned", True), (b"superseded", False)])
async def test_marks_are_brought_back_for_as_long_as_they_are_needed(reply: bytes, returned: bool) -> None:
    scripts = Recorded(reply)
    assert await AssertionRegistry(scripts, 15.0).restore_marks(7, [("a", 60.25), ("b", 0.0001)]) is returned
    assert (scripts.name, scripts.keys) == ("return_assertions", [Layout().head, "a", "b"])
    assert scripts.arguments == [7, 60_250, 1], "Redis takes no time of nothing"


async def test_another_partition_has_names_of_its_own() -> None:
    scripts, layout = Recorded([b"claimed", b"7", 1]), Layout(3)
    registry = AssertionRegistry(scripts, 15.0, layout)
    await registry.mark_used([AssertionUse(("c",), "k", 5.0, 2.0)])
    assert scripts.keys == [layout.head, layout.claimants, layout.assertion("c", "k")]
