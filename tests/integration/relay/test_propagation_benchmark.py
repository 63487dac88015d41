"""A small run of the propagation benchmark."""

from benchmarks.propagation import measure


async def test_each_change_is_timed_from_its_commit_to_the_last_node() -> None:
    figures = await measure(1, 3, 0.0, realtime=False)
    assert len(figures.applied) == len(figures.waited) == 3
