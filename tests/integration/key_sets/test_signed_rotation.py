"""Rotations over whole nodes with signed assertions; the benchmark does a thousand of them."""

from benchmarks.key_sets.assertions import run


async def test_no_assertion_is_refused_though_its_key_was_published_a_moment_ago(redis_url: str) -> None:
    result = await run(redis_url, rotations=24, clients=4)
    assert result.refused == ()
    assert result.assertions == 4 * 5 + 24 * 6
    # Once for each client at first, and once for each new key: five nodes share every fetch.
    assert result.fetches <= 4 + 24 + 4
