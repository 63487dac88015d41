"""An export's file is read whatever wrote it, and what cannot be read is told with its place."""

import codecs
import json
from typing import Any

import pytest

from keyturn_credentials.domain.export_documents import read_documents
from keyturn_shared.jose.errors import MalformedError

REALM = {"realm": "ölmühle", "clients": [{"clientId": "orders"}]}
TEXT = json.dumps(REALM, ensure_ascii=False, indent=1)


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        f" [{TEXT}]\n".encode(),
        codecs.BOM_UTF8 + f"[{TEXT}]".encode(),
    ],
)
def test_a_realm_is_read_in_every_encoding_that_keycloak_reads(data: bytes) -> None:
    """With a byte order mark or without, alone or in an array."""
    assert read_documents(data) == [REALM]


def test_an_array_has_many_realms() -> None:
    assert read_documents(json.dumps([REALM, {"realm": "b"}]).encode()) == [REALM, {"realm": "b"}]


def test_a_member_may_occur_again_with_the_same_value() -> None:
    assert read_documents(b'{"realm": "a", "clients": [{"baseUrl": "/a", "baseUrl": "/a"}]}') == [
        {"realm": "a", "clients": [{"baseUrl": "/a"}]}
    ]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"clients": [{}, {"baseUrl": "/a", "baseUrl": "/b"}]}', r"twice: clients\[1\]\.baseUrl$"),
        (b'[{"realm": "a", "realm": "b"}]', r"twice: realms\[0\]\.realm$"),
        (b"[]", "an array, but not of realms"),
        (b'["a"]', "an array, but not of realms"),
        (b'"a"', "not an object"),
        (b"", "not JSON"),
        (b'{"realm": "a"', "not JSON"),
        (b'{"realm": "\xff"}', "not UTF-8"),
        (codecs.BOM_UTF16_LE + b"{", "damaged UTF-16-LE"),
        (codecs.BOM_UTF16_BE + b"\xd8\x00\x00{", "damaged UTF-16-BE"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(data: bytes, told: str) -> None:
    with pytest.raises(MalformedError, match=told):
        read_documents(data)


def groups(levels: int) -> dict[str, Any]:
    """An export with groups below groups, the lowest with an attribute."""
    group: dict[str, Any] = {"name": "lowest", "attributes": {"cost-center": ["7"]}}
    for _ in range(levels - 1):
        group = {"name": "upper", "subGroups": [group]}
    return {**REALM, "groups": [group]}


def test_groups_may_be_nested_as_companies_are() -> None:
    export = groups(20)
    assert read_documents(json.dumps([export]).encode()) == [export]
    with pytest.raises(MalformedError, match="nested deeper than 64"):
        read_documents(json.dumps(groups(40)).encode())
