"""A key set is accepted as a fetcher has signed it, for the address it was fetched from."""

from dataclasses import dataclass

import pytest

from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.key_sets.record import KeySetRecord, encode_record
from keyturn_shared.key_sets.seal import FetcherKeys, KeySetSeal
from keyturn_shared.signed_log.errors import ForgedError, UnsignedError
from keyturn_shared.signed_log.keys import LogSigningKeys

KEYS, OTHERS = LogSigningKeys([b"f" * 32]), LogSigningKeys([b"o" * 32])
RECORD = KeySetRecord(url="https://a.example/jwks", generation=7, failures=1, keys=({"kid": "k"},))
ASKED = KeySetRecord(url="https://a.example/jwks")


@dataclass
class Scene:
    """A fetcher, and a reader without a key of its own."""

    fetcher: KeySetSeal
    reader: KeySetSeal


@pytest.fixture
def scene() -> Scene:
    fetchers = FetcherKeys()
    fetchers.learn(tuple(KEYS.public_keys.split(",")))
    return Scene(KeySetSeal(KEYS, FetcherKeys(KEYS.verification())), KeySetSeal(None, fetchers))


def test_what_a_fetcher_signed_is_read_with_the_keys_that_a_realm_names(scene: Scene) -> None:
    value = scene.fetcher.write(RECORD)
    assert value.startswith(b"7:1:{"), "scripts read these numbers"
    assert scene.reader.read(RECORD.address.id, value) == RECORD
    assert scene.fetcher.read(RECORD.address.id, value) == RECORD


def test_nothing_else_is(scene: Scene) -> None:
    value = scene.fetcher.write(RECORD)
    strangers = KeySetSeal(OTHERS, FetcherKeys()).write(RECORD)
    for forged in (strangers, value.replace(b'"kid":"k"', b'"kid":"h"'), encode_record(RECORD), b"", b"7:1"):
        with pytest.raises(ForgedError):
            scene.reader.read(RECORD.address.id, forged)
    with pytest.raises(ForgedError):
        scene.reader.read(KeySetAddress.of("https://b.example/jwks").id, value)
    with pytest.raises(ForgedError):
        KeySetSeal(None, FetcherKeys()).read(RECORD.address.id, value)


def test_a_reader_writes_nothing(scene: Scene) -> None:
    assert (scene.reader.signs, scene.fetcher.signs) == (False, True)
    with pytest.raises(ForgedError):
        scene.reader.write(RECORD)


def test_anybody_may_ask_for_a_key_set(scene: Scene) -> None:
    assert scene.fetcher.read_request(ASKED.address.id, encode_record(ASKED)) == ASKED


INSIDE = KeySetRecord(url=ASKED.url, networks=("10.0.0.0/8",))


@pytest.mark.parametrize(
    ("forged", "key_set_id"),
    [
        (RECORD, RECORD.address.id),
        (KeySetRecord(url=ASKED.url, etag="x"), ASKED.address.id),
        (INSIDE, INSIDE.address.id),
        (ASKED, KeySetAddress.of("https://b.example/jwks").id),
    ],
)
def test_nobody_says_more_of_a_key_set_by_asking(scene: Scene, forged: KeySetRecord, key_set_id: str) -> None:
    with pytest.raises(UnsignedError):
        scene.fetcher.read_request(key_set_id, encode_record(forged))


def test_keys_that_are_named_later_are_trusted_beside_those_before(scene: Scene) -> None:
    scene.reader.fetchers.learn((OTHERS.public_keys,))
    for keys in (KEYS, OTHERS):
        value = KeySetSeal(keys, FetcherKeys()).write(RECORD)
        assert scene.reader.read(RECORD.address.id, value) == RECORD
