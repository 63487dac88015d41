"""The registry from Redis: records that anyone may have written, and one script for all readers."""

from collections.abc import Sequence
from typing import Any

import pytest

from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.registry import FleetRegistry, NodeRecord, NodeRecordError, read_records
from keyturn_shared.fleet.scripts import Argument, Call
from keyturn_shared.position import Position

RECORD = '1000|900|11000|7|5|{"name":"one"}'


def test_a_record_is_read_from_its_five_numbers_and_its_details() -> None:
    assert NodeRecord.parse("n", RECORD) == NodeRecord("n", 1000, 900, 11000, Position(7, 5), {"name": "one"})


@pytest.mark.parametrize("details", ["", "{", "[]", "7", "[" * 100_000, '{"a"|1}'])
def test_details_that_cannot_be_read_are_left_out(details: str) -> None:
    record = NodeRecord.parse("n", f"1|2|3|4|5|{details}")
    assert (record.applied, record.details) == (Position(4, 5), {})


def test_details_may_have_the_separator_in_them() -> None:
    assert NodeRecord.parse("n", '1|2|3|4|5|{"a":"b|c"}').details == {"a": "b|c"}


@pytest.mark.parametrize(
    "record",
    [
        "",
        "1|2|3|4|{}",
        "1|2|3|4",
        "|2|3|4|5|{}",
        "-1|2|3|4|5|{}",
        "+1|2|3|4|5|{}",
        " 1|2|3|4|5|{}",
        "1|2|3|4|five|{}",
        "1_0|2|3|4|5|{}",
        "²|2|3|4|5|{}",
        "٣|2|3|4|5|{}",
        f"{10**16}|2|3|4|5|{{}}",
    ],
)
def test_a_record_without_five_plain_numbers_is_broken(record: str) -> None:
    with pytest.raises(NodeRecordError, match="the record of 'n' does not begin with five numbers"):
        NodeRecord.parse("n", record)


def test_the_greatest_number_has_sixteen_digits() -> None:
    assert NodeRecord.parse("n", f"{10**16 - 1}|2|3|4|5|{{}}").expires_at == 10**16 - 1


@pytest.mark.parametrize(
    ("details", "stale"),
    [("{}", False), ('{"serves_stale":false}', False), ('{"serves_stale":true}', True), ("nonsense", False)],
)
def test_a_node_says_whether_it_serves_stale_states(details: str, stale: bool) -> None:
    assert NodeRecord.parse("n", f"1|2|3|4|5|{details}").serves_stale is stale


def test_records_are_read_in_order_and_broken_ones_named() -> None:
    nodes, unreadable = read_records({"z": RECORD, "b": "nonsense", "c": RECORD, "a": "1|2"})
    assert [node.node_id for node in nodes] == ["c", "z"]
    assert unreadable == ("a", "b")


class Registry:
    """Answers like ``registry.lua``; records its arguments."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str], list[Argument]]] = []

    async def run(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        self.asked.append((name, list(keys), list(arguments)))
        fields = [b"epoch", b"7", b"sequence", b"9", b"vouched", b"run"]
        published = [b"" if argument == 9 else b"%d" % (100 + int(argument or 0)) for argument in arguments]
        return [b"1234", fields, b"run", [b"n", RECORD.encode(), b"broken", b"?"], published]

    async def run_many(self, name: str, calls: Sequence[Call]) -> list[Any]:
        raise AssertionError("one call is enough")


async def test_all_events_are_looked_up_in_one_call() -> None:
    scripts = Registry()
    views = await FleetRegistry(scripts).views([None, 5, 9])
    layout = Layout()
    assert scripts.asked == [("registry", [layout.head, layout.nodes, layout.events], ["", 5, 9])]
    assert [view.published_at for view in views] == [100, 105, None]
    for view in views:
        assert (view.now, [node.node_id for node in view.nodes], view.unreadable) == (
            1234,
            ["n"],
            ("broken",),
        )
        assert view.head is not None
        assert (view.head.position, view.head.trusted) == (Position(7, 9), True)


async def test_one_event_is_looked_up_alone_in_the_layout_that_is_given() -> None:
    scripts = Registry()
    layout = Layout(3)
    view = await FleetRegistry(scripts, layout).view(5)
    assert view.published_at == 105
    assert scripts.asked == [("registry", [layout.head, layout.nodes, layout.events], [5])]
    assert (await FleetRegistry(scripts, layout).view()).published_at == 100
