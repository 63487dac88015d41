"""New events, however many there are."""

from keyturn.admin_cli.events import PAGE, Event, newer_than, reader_of_new


class Log:
    """An event log that answers as the server does: newest first, one page."""

    def __init__(self, newest: int) -> None:
        self.newest = newest

    def read(self, *, after: int, max: int, before: int | None = None) -> list[Event]:  # noqa: A002 - the parameter's name
        top = self.newest if before is None else before - 1
        return [{"sequence": number} for number in range(top, after, -1)][:max]


def sequences(events: list[Event]) -> list[int]:
    return [event["sequence"] for event in events]


def test_no_event_is_missed_or_repeated() -> None:
    log = Log(5)
    assert sequences(newer_than(3, log.read)) == [4, 5]
    log.newest = 3 * PAGE
    assert sequences(newer_than(5, log.read)) == list(range(6, 3 * PAGE + 1))
    log.newest = 5 + 2 * PAGE
    assert sequences(newer_than(5, log.read)) == list(range(6, 6 + 2 * PAGE))


def test_each_read_goes_on_where_the_former_one_ended() -> None:
    log = Log(2)
    read_new = reader_of_new(0, log.read)
    assert sequences(read_new()) == [1, 2]
    assert read_new() == []
    log.newest = 4
    assert sequences(read_new()) == [3, 4]
