"""Work that is repeated, at growing intervals while it fails."""

import pytest

from keyturn.client.repeating import repeat


class EnoughError(Exception):
    """Ends a repetition."""


async def pauses_of(
    outcomes: list[float | Exception], longest: float = 300.0
) -> tuple[list[float], list[str]]:
    """Return the pauses after these outcomes, and what was told of the failures."""
    waited: list[float] = []
    told: list[str] = []

    async def work() -> float:
        outcome = outcomes.pop(0) if outcomes else EnoughError()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    with pytest.raises(EnoughError):
        await repeat(
            work,
            survives=(ValueError,),
            failed=lambda error: told.append(str(error)),
            longest_pause=longest,
            sleep=sleep,
        )
    return waited, told


async def test_pauses_grow_while_it_fails_and_begin_anew_after_a_success() -> None:
    waited, told = await pauses_of(
        [*(ValueError(str(turn)) for turn in range(4)), 60, ValueError("again")], 5
    )
    most = (1, 2, 4, 5, 60, 1)
    assert all(high / 2 <= seconds <= high for seconds, high in zip(waited, most, strict=True)), waited
    assert told == ["0", "1", "2", "3", "again"]


async def test_clients_that_are_due_together_do_not_come_together() -> None:
    waited, _ = await pauses_of([100.0] * 50)
    assert len(set(waited)) > 1
    assert all(90 <= seconds <= 100 for seconds in waited)
