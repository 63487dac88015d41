"""A node trusts what is signed, of the active log, and not older than what it has seen."""

from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from keyturn_shared.position import Position
from keyturn_shared.projection import projection_value
from keyturn_shared.signed_log.errors import ForgedError, OutdatedError, UnsignedError
from keyturn_shared.signed_log.head import HeadStatement, names_of
from keyturn_shared.signed_log.keys import LogSigningKeys
from keyturn_shared.signed_log.signer import LogSigner
from keyturn_verifier.metrics import NodeMetrics
from keyturn_verifier.replica.log_trust import LogTrust
from tests.testkit.clocks import SetClock

LOG, OTHER = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
KEYS = LogSigningKeys([b"k" * 32])
FIELD = "realm:acme"


class Scene:
    """A node, and the credentials service's signatures."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self.registry = CollectorRegistry()
        self.trust = LogTrust(KEYS.verification(), NodeMetrics(self.registry), elapsed=self.clock.elapsed)

    def admit(
        self, epoch: int, *, log: str = LOG, head: int | None = None, recent: str = "", sequence: int = 9
    ) -> HeadStatement:
        signed = LogSigner(KEYS, log).head(epoch, sequence=sequence, at=5, recent=recent)
        return self.trust.admit(signed, Position(epoch if head is None else head, 9))

    def forged(self, kind: str) -> float:
        return self.registry.get_sample_value("keyturn_node_forged_total", {"kind": kind}) or 0.0

    def is_believed(self, sequence: int, *, log: str = LOG, field: str = FIELD) -> bool:
        value = projection_value(sequence, LogSigner(KEYS, log).projection(field, sequence, b'{"a":1}'))
        try:
            return self.trust.projection(field, value) == projection_value(sequence, b'{"a":1}')
        except ForgedError:
            return False


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_statement_about_the_head_is_given_as_it_was_signed(scene: Scene) -> None:
    assert scene.admit(7, recent="abcdefgh") == HeadStatement(LOG, 7, 9, 5, "abcdefgh")
    assert scene.admit(7, recent="abcdefgh") == HeadStatement(LOG, 7, 9, 5, "abcdefgh")
    assert scene.admit(7, sequence=10).sequence == 10
    assert scene.forged("head") == 0


def test_nothing_is_believed_before_a_statement_was_seen(scene: Scene) -> None:
    assert not scene.is_believed(7)
    with pytest.raises(UnsignedError):
        scene.trust.event(Position(7, 1), LogSigner(KEYS, LOG).event(1, b"{}"))
    with pytest.raises(UnsignedError):
        scene.trust.admit(b"", Position(7, 9))
    assert [scene.forged(kind) for kind in ("projection", "event", "head")] == [1, 1, 1]


def test_a_statement_by_another_key_is_none(scene: Scene) -> None:
    strange = LogSigner(LogSigningKeys([b"s" * 32]), LOG).head(7, sequence=9, at=5, recent="")
    with pytest.raises(ForgedError):
        scene.trust.admit(strange, Position(7, 9))
    assert not scene.is_believed(7)


@pytest.mark.parametrize("head", [6, 8])
def test_a_statement_about_another_epoch_says_nothing_of_this_head(scene: Scene, head: int) -> None:
    with pytest.raises(OutdatedError):
        scene.admit(7, head=head)
    assert scene.admit(7).epoch == 7


def test_a_statement_of_an_epoch_that_is_over_is_outdated(scene: Scene) -> None:
    scene.admit(7)
    with pytest.raises(OutdatedError):
        scene.admit(6, head=6)
    with pytest.raises(OutdatedError):
        scene.admit(6, head=7)
    assert scene.forged("head") == 2
    assert scene.admit(7).epoch == 7


def test_events_are_believed_at_their_own_position_of_the_log_in_force(scene: Scene) -> None:
    scene.admit(7)
    signed = LogSigner(KEYS, LOG).event(4, b'{"type":"x"}')
    assert scene.trust.event(Position(7, 4), signed) == b'{"type":"x"}'
    for at, payload in (
        (Position(7, 5), signed),
        (Position(7, 4), LogSigner(KEYS, OTHER).event(4, b'{"type":"x"}')),
        (Position(7, 4), b'{"type":"x"}'),
    ):
        with pytest.raises(ForgedError):
            scene.trust.event(at, payload)
    assert scene.forged("event") == 3


def test_projections_are_believed_that_are_no_older_than_their_last_change(scene: Scene) -> None:
    scene.admit(7)
    assert scene.is_believed(3)
    scene.trust.applied(5, "e", [FIELD])
    assert [at for at in range(3, 8) if scene.is_believed(at)] == [5, 6, 7]
    assert scene.is_believed(3, field="realm:other")
    assert not scene.is_believed(6, log=OTHER)
    assert scene.forged("projection") == 3


def recent(*events: tuple[int, str]) -> str:
    return names_of(events)


@pytest.mark.parametrize(
    ("reach", "kept"),
    [
        pytest.param(lambda scene: scene.admit(7, sequence=10), True, id="the same epoch"),
        pytest.param(lambda scene: scene.admit(8, recent=recent((5, "e"))), True, id="an epoch that goes on"),
        pytest.param(
            lambda scene: scene.admit(8, recent=recent((4, "d"), (5, "e"), (6, "f"))), True, id="among others"
        ),
        pytest.param(lambda scene: scene.admit(8, recent=recent((5, "x"))), False, id="set back"),
        pytest.param(lambda scene: scene.admit(8), False, id="of which nothing is known"),
    ],
)
def test_what_was_changed_is_known_for_as_long_as_the_log_goes_on(
    scene: Scene, reach: Callable[[Scene], object], kept: bool
) -> None:
    scene.admit(7)
    scene.trust.applied(5, "e", [FIELD])
    reach(scene)
    assert scene.is_believed(4) is not kept


def test_of_two_logs_the_one_whose_epoch_is_newer_is_true(scene: Scene) -> None:
    scene.admit(7)
    scene.trust.applied(5, "e", [FIELD])
    with pytest.raises(OutdatedError):
        scene.admit(6, log=OTHER)
    assert not scene.is_believed(6, log=OTHER)
    scene.admit(8, log=OTHER, recent=recent((5, "e")))
    assert scene.is_believed(1, log=OTHER)
    assert not scene.is_believed(6)


def test_of_a_flood_of_forged_entries_one_line_a_second_is_logged(scene: Scene) -> None:
    scene.admit(7)
    with capture_logs() as lines:
        for _ in range(3):
            scene.is_believed(6, log=OTHER)
            scene.clock.time += 0.5
    assert [line["event"] for line in lines] == ["log_not_believed"] * 2
    assert (lines[0]["kind"], lines[0]["name"], lines[0]["code"]) == ("projection", FIELD, "forged")
    assert scene.forged("projection") == 3


def test_an_epoch_may_come_before_the_first_event(scene: Scene) -> None:
    scene.admit(7)
    assert scene.admit(8).epoch == 8
    assert scene.is_believed(1)


def test_what_an_event_changed_is_recognised_by_its_id(scene: Scene) -> None:
    scene.admit(7)
    scene.trust.applied(5, "e", [FIELD])
    scene.admit(8, recent=recent((6, "e")))
    assert scene.is_believed(4), "the same id under another number is another event"
