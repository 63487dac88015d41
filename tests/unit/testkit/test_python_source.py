"""Source is parsed whatever garbage other tests have left."""

import ast
import gc

from tests.testkit.python_source import parse


class Finalized:
    """Garbage that parses when it is collected, as a traceback does that is written then."""

    parsed = 0

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        ast.parse("x = (1 + 2) * [each for each in others]")
        Finalized.parsed += 1


def test_garbage_that_parses_is_not_collected_while_source_is_parsed() -> None:
    source, thresholds = "x = [1, (2, 3)]\n" * 1000, gc.get_threshold()
    gc.collect()
    try:
        gc.disable()
        Finalized()
        gc.set_threshold(gc.get_count()[0] + 500)  # in the middle of the nodes
        gc.enable()
        assert len(parse(source).body) == 1000
    finally:
        gc.enable()
        gc.set_threshold(*thresholds)
    gc.collect()
    assert Finalized.parsed == 1
