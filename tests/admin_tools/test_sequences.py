"""Tools that cannot run here make their recorded calls, and see no drift."""

from typing import Any

import pytest

from tests.admin_tools.replaying import SEQUENCES, Replay, differences, sequence
from tests.testkit.admin_api import AdminApi
from tests.testkit.fixtures.credentials_service import api

__all__ = ["api"]


@pytest.mark.parametrize("name", sorted(path.stem for path in SEQUENCES.glob("*.json")))
async def test_a_tool_reads_back_what_it_wrote(api: AdminApi, name: str) -> None:
    await Replay(api).run(sequence(name))


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ({"name": "a"}, {"name": "b"}),
        ({"name": "a"}, {}),
        ({"enabled": True}, {"enabled": False}),
        ({"attributes": {"a": "1"}}, {"attributes": {"a": "2"}}),
        ({"redirectUris": ["a"]}, {"redirectUris": ["a", "b"]}),
    ],
)
def test_what_is_not_shown_as_written_is_drift(written: dict[str, Any], shown: dict[str, Any]) -> None:
    assert differences(written, shown) != {}


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ({"name": "a"}, {"name": "a", "more": 1}),
        ({"attributes": {"a": ""}}, {"attributes": {}}),
        ({"attributes": {"a": "false"}}, {"attributes": {"b": "1"}}),
        ({"redirectUris": []}, {}),
        ({"scopes": ["a", "b"]}, {"scopes": ["b", "a"]}),
    ],
)
def test_what_tools_read_alike_is_no_drift(written: dict[str, Any], shown: dict[str, Any]) -> None:
    assert differences(written, shown) == {}
