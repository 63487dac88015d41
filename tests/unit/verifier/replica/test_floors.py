"""A change cannot be undone by an old projection."""

from keyturn_shared.signed_log.errors import OutdatedError
from keyturn_verifier.replica.floors import Floors


def is_believed(floors: Floors, field: str, sequence: int) -> bool:
    try:
        floors.require(field, sequence)
    except OutdatedError:
        return False
    return True


def test_a_projection_older_than_the_last_change_of_its_field_is_outdated() -> None:
    floors = Floors()
    floors.raise_to(["a", "b"], 7)
    floors.raise_to(["a"], 9)
    believed = {(field, at): is_believed(floors, field, at) for field in "abc" for at in (0, 6, 7, 8, 9, 10)}
    assert believed == {
        **{("a", at): at >= 9 for at in (0, 6, 7, 8, 9, 10)},
        **{("b", at): at >= 7 for at in (0, 6, 7, 8, 9, 10)},
        **{("c", at): True for at in (0, 6, 7, 8, 9, 10)},
    }


def test_of_more_fields_than_there_is_room_for_those_changed_last_are_remembered() -> None:
    floors = Floors(most=2)
    floors.raise_to(["a", "b"], 7)
    assert len(floors) == 2
    floors.raise_to(["a"], 8)
    floors.raise_to(["c"], 9)
    assert len(floors) == 2
    assert [field for field in "abc" if not is_believed(floors, field, 1)] == ["a", "c"]


def test_of_another_log_nothing_is_known() -> None:
    floors = Floors()
    floors.raise_to(["a"], 7)
    floors.clear()
    assert is_believed(floors, "a", 1)
