"""Connections go to the worker with the fewest, and limits hold over all workers."""

from keyturn_shared.http_server.connections import ConnectionLimits, Shortage
from keyturn_verifier.workers.balance import Balance

WORKERS = ["a", "b", "c"]


def opened(balance: Balance[str], count: int, address: str = "10.0.0.1", first: int = 0) -> None:
    for number in range(first, first + count):
        ranked, _ = balance.rank(address, WORKERS)
        balance.opened(ranked[0], number, address)


def test_connections_are_spread_evenly() -> None:
    balance: Balance[str] = Balance(ConnectionLimits())
    opened(balance, 31)
    assert sorted(balance.open_of(worker) for worker in WORKERS) == [10, 10, 11]
    assert len(balance) == 31


def test_short_connections_one_after_the_other_go_round() -> None:
    balance: Balance[str] = Balance(ConnectionLimits())
    chosen = []
    for number in range(6):
        ranked, _ = balance.rank("10.0.0.1", WORKERS)
        balance.opened(ranked[0], number, "10.0.0.1")
        balance.closed(ranked[0], number)
        chosen.append(ranked[0])
    assert chosen == WORKERS * 2


def test_a_worker_that_came_back_gets_the_next_ones() -> None:
    balance: Balance[str] = Balance(ConnectionLimits())
    opened(balance, 30)
    balance.forget("b")
    assert (len(balance), balance.open_of("b")) == (20, 0)
    opened(balance, 10, first=30)
    assert balance.open_of("b") == 10


def test_only_workers_that_can_be_given_one_are_ranked() -> None:
    balance: Balance[str] = Balance(ConnectionLimits())
    assert balance.rank("10.0.0.1", ["b"]) == (["b"], None)
    assert balance.rank("10.0.0.1", []) == ([], None)


def test_beyond_the_limit_of_all_the_worker_with_the_most_is_asked_first() -> None:
    balance: Balance[str] = Balance(ConnectionLimits(total=3))
    for number, worker in enumerate("bba"):
        balance.opened(worker, number, f"10.0.0.{number}")
    assert balance.rank("10.0.1.1", WORKERS) == (["b", "a", "c"], Shortage.OF_ALL)
    balance.closed("b", 0)
    assert balance.rank("10.0.1.1", WORKERS)[1] is None


def test_an_address_has_its_limit_over_all_workers() -> None:
    balance: Balance[str] = Balance(ConnectionLimits(per_address=3))
    for number, worker in enumerate("bbc"):
        balance.opened(worker, number, "2001:db8::1")
    for number in range(10, 15):
        balance.opened("a", number, "10.0.0.1" if number % 2 else "10.0.0.2")
    assert balance.rank("2001:db8::2", WORKERS) == (["b", "c", "a"], Shortage.OF_ADDRESS), "one /64 network"
    assert balance.rank("2001:db8:1::1", WORKERS)[1] is None
    balance.closed("c", 2)
    assert balance.rank("2001:db8::2", WORKERS)[1] is None


def test_a_trusted_proxy_has_no_limit_of_its_own() -> None:
    balance: Balance[str] = Balance(ConnectionLimits(per_address=1, is_exempt=lambda _: True))
    opened(balance, 5)
    assert balance.rank("10.0.0.1", WORKERS)[1] is None


def test_an_end_is_counted_once() -> None:
    balance: Balance[str] = Balance(ConnectionLimits())
    balance.opened("a", 1, "10.0.0.1")
    for _ in range(2):
        balance.closed("a", 1)
    balance.closed("b", 7)
    assert (len(balance), balance.open_of("a")) == (0, 0)
