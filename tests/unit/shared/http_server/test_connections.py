"""Room for connections is distributed fairly."""

from dataclasses import dataclass

from keyturn_shared.http_server.connections import ConnectionLimits, ConnectionTable, Shortage


@dataclass(eq=False)
class Line:
    """A connection that records its end."""

    is_over: bool = False

    def end(self) -> None:
        self.is_over = True


def opened(table: ConnectionTable, address: str, count: int, *, busy: bool = False) -> list[Line]:
    lines = [Line() for _ in range(count)]
    for line in lines:
        assert table.admit(line, address, line.end)
        if busy:
            table.is_busy(line)
    return lines


def admitted(table: ConnectionTable, address: str) -> bool:
    line = Line()
    return table.admit(line, address, line.end)


def test_when_it_is_full_the_longest_idle_connection_of_the_greediest_address_gives_way() -> None:
    table = ConnectionTable(ConnectionLimits(total=6, per_address=6))
    modest = opened(table, "10.0.0.1", 2)
    greedy = opened(table, "10.0.0.2", 4)
    table.is_busy(greedy[0])
    opened(table, "10.0.0.3", 1)
    assert [line.is_over for line in modest + greedy] == [False, False, False, True, False, False]
    assert (len(table), table.gave_way) == (6, 1)


def test_a_connection_that_was_used_is_idle_anew() -> None:
    table = ConnectionTable(ConnectionLimits(total=2, per_address=2))
    first, second = opened(table, "10.0.0.1", 2)
    table.is_busy(first)
    table.is_idle(first)
    opened(table, "10.0.0.2", 1)
    assert (first.is_over, second.is_over) == (False, True)


def test_when_all_are_busy_one_more_is_turned_away() -> None:
    table = ConnectionTable(ConnectionLimits(total=3, per_address=3))
    lines = opened(table, "10.0.0.1", 3, busy=True)
    assert not admitted(table, "10.0.0.2")
    assert (len(table), table.turned_away) == (3, 1)
    table.remove(lines[0])
    table.remove(lines[0])
    assert admitted(table, "10.0.0.2")


def test_an_address_has_a_limit_of_its_own_and_pushes_out_only_its_own() -> None:
    table = ConnectionTable(ConnectionLimits(total=100, per_address=3))
    other = opened(table, "10.0.0.1", 1)
    opened(table, "10.0.0.2", 2, busy=True)
    own = opened(table, "10.0.0.2", 1)
    assert admitted(table, "::ffff:10.0.0.2"), "the same address, mapped"
    assert (own[0].is_over, other[0].is_over) == (True, False)


def test_an_address_with_busy_connections_alone_is_turned_away_at_its_limit() -> None:
    table = ConnectionTable(ConnectionLimits(total=100, per_address=3))
    opened(table, "2001:db8::1", 2, busy=True)
    opened(table, "2001:db8::ffff", 1, busy=True)
    assert not admitted(table, "2001:db8::2"), "one subscriber has all of these"
    assert admitted(table, "2001:db8:0:1::1")


def test_a_trusted_proxy_has_no_limit_of_its_own_and_gives_way_last() -> None:
    table = ConnectionTable(
        ConnectionLimits(total=10, per_address=2, is_exempt=lambda address: address == "10.0.0.9")
    )
    proxy = opened(table, "10.0.0.9", 9)
    stranger = opened(table, "10.0.0.1", 1)
    opened(table, "10.0.0.2", 1)
    assert stranger[0].is_over
    assert not any(line.is_over for line in proxy)


def test_a_table_forgets_who_has_gone() -> None:
    table = ConnectionTable(ConnectionLimits(total=10, per_address=1))
    for number in range(1000):
        (line,) = opened(table, f"10.0.{number % 256}.{number // 256}", 1)
        table.remove(line)
    assert len(table) == 0
    assert admitted(table, "10.0.0.0")


def test_a_connection_that_has_its_place_may_say_anew_how_it_ends() -> None:
    table = ConnectionTable(ConnectionLimits(total=1, per_address=1))
    before, line = Line(), Line()
    assert table.admit(line, "10.0.0.1", before.end)
    assert table.admit(line, "10.0.0.1", line.end)
    assert len(table) == 1
    assert admitted(table, "10.0.0.2")
    assert (before.is_over, line.is_over) == (False, True)


def test_a_table_says_whether_it_could_make_room() -> None:
    table = ConnectionTable(ConnectionLimits())
    assert not table.can_make_room("10.0.0.1", Shortage.OF_ALL)
    (line,) = opened(table, "10.0.0.1", 1)
    assert table.can_make_room("10.0.0.1", Shortage.OF_ADDRESS)
    assert not table.can_make_room("10.0.0.2", Shortage.OF_ADDRESS)
    assert table.can_make_room("10.0.0.2", Shortage.OF_ALL)
    table.is_busy(line)
    assert not table.can_make_room("10.0.0.1", Shortage.OF_ADDRESS)
    assert not table.can_make_room("10.0.0.2", Shortage.OF_ALL)
