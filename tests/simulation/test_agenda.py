"""Later parts of faults are counted until they are done."""

from functools import partial

from tests.simulation.agenda import Agenda
from tests.testkit.virtual_loop import VirtualLoop


def test_the_agenda_is_empty_once_the_last_part_is_done() -> None:
    loop, done = VirtualLoop.create(), list[str]()
    agenda = Agenda(loop)
    agenda.later(1.0, lambda: done.append("first"))
    agenda.later(2.0, lambda: done.append("last"))
    loop.run(1.5)
    assert (done, agenda.left) == (["first"], 1)
    loop.run(2.5)
    assert (done, agenda.left) == (["first", "last"], 0)


def test_what_a_part_puts_on_the_agenda_counts_too() -> None:
    loop, left = VirtualLoop.create(), list[int]()
    agenda = Agenda(loop)
    agenda.later(1.0, partial(agenda.later, 1.0, lambda: left.append(agenda.left)))
    loop.run(1.5)
    assert agenda.left == 1
    loop.run(2.5)
    assert (left, agenda.left) == ([1], 0)


def test_a_part_that_fails_is_done() -> None:
    loop = VirtualLoop.create()
    agenda = Agenda(loop)
    agenda.later(1.0, lambda: 1 // 0)
    loop.run(1.5)
    assert agenda.left == 0
    assert loop.errors
