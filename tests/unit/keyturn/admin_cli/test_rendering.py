"""Tables and messages: aligned, and harmless on a terminal."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn.admin_cli.rendering import Output, cell, printable, table, time_text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@given(st.text())
def test_no_text_can_control_a_terminal(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(printable(text)) == printable(text)


@given(st.recursive(st.text() | st.none() | st.floats() | st.booleans(), st.lists))
def test_no_cell_can_control_a_terminal(value: object) -> None:
    assert cell(value).isprintable()


def test_characters_that_change_what_is_shown_are_escaped() -> None:
    assert printable("a\033[2Jb\u202ec\u009bd\r\n\u2028") == "a\\x1b[2Jb\\u202ec\\x9bd\\r\\n\\u2028"
    assert printable("Käse 東京 🔑") == "Käse 東京 🔑"


def test_columns_are_as_wide_as_what_is_shown() -> None:
    assert table(("A", "B"), [("東京", 1), ("e\u0301", None), ("x\n", True)]) == [
        "A     B",
        "東京  1",
        "e\u0301     -",
        "x\\n   yes",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "1970-01-01 00:00:00Z"),
        ("1700000000", "2023-11-14 22:13:20Z"),
        (None, "-"),
        ("soon\033", "soon\\x1b"),
        (1e300, "1e+300"),
    ],
)
def test_times_are_shown_in_utc(value: object, shown: str) -> None:
    assert time_text(value) == shown


def test_only_a_terminal_gets_escape_sequences() -> None:
    for out, styled in ((io.StringIO(), False), (Terminal(), True)):
        Output(False, out, io.StringIO()).table(("NAME",), [("orders",)])
        assert ("\033" in out.getvalue()) is styled


def test_a_value_for_a_program_is_exact_and_escaped_on_a_terminal() -> None:
    for out, shown in ((io.StringIO(), "a\033b\n"), (Terminal(), "a\\x1bb\n")):
        Output(False, out, io.StringIO()).raw("a\033b")
        assert out.getvalue() == shown


def test_json_has_no_control_characters() -> None:
    out = io.StringIO()
    Output(True, out).json({"name": "\033\u009b\u202e"}, indent=None)
    assert out.getvalue() == '{"name": "\\u001b\\u009b\\u202e"}\n'
    assert json.loads(out.getvalue()) == {"name": "\033\u009b\u202e"}


def test_progress_is_shown_on_a_terminal_only_and_removed_before_a_message() -> None:
    for messages, seen in ((io.StringIO(), "done\n"), (Terminal(), "\rhalf\r    \rdone\n")):
        output = Output(False, io.StringIO(), messages)
        output.progress("half")
        output.message("done")
        assert messages.getvalue() == seen


def test_a_table_without_rows_is_a_sentence() -> None:
    out = io.StringIO()
    Output(False, out).table(("NAME",), [], none="No clients.")
    assert out.getvalue() == "No clients.\n"
