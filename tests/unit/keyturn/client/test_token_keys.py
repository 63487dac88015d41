"""Clients whose keys are in a token, which may be away or may have lost one."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from keyturn import (
    ClientCredentials,
    ClientKeys,
    KeyStateError,
    NoTokenError,
    RotationError,
    SignerError,
    SigningKey,
    follow_key_rotations,
    offer_new_key,
    rotate_on_schedule,
)
from keyturn.client.signer import TokenSigner
from tests.testkit.key_server import ISSUER, KeyServer
from tests.unit.keyturn.client.external_key import ExternalKey
from tests.unit.keyturn.client.token_key import TokenKey


class EnoughError(Exception):
    """Ends a task that runs for ever."""


def client(keys: ClientKeys) -> tuple[KeyServer, ClientCredentials]:
    """Return the server where the client's keys are registered, and its credentials."""
    server = KeyServer(*[dict(key.public_jwk) for key in (keys.signing, *keys.others(keys.signing))])
    return server, ClientCredentials(ISSUER, "worker", keys, now=lambda: server.now)


def test_only_what_makes_keys_in_a_token_counts_as_one() -> None:
    assert isinstance(TokenKey.first(), TokenSigner)
    assert not isinstance(ExternalKey(), TokenSigner)
    assert not isinstance(SigningKey.generate(), TokenSigner)


def test_the_file_has_references_and_no_private_key(tmp_path: Path) -> None:
    state = tmp_path / "keys.json"
    first = TokenKey.first()
    keys = ClientKeys(first, state=state)
    keys.publish(first.generate_next())
    document = json.loads(state.read_text())
    assert document["signing"] == {"in_token": {"fake": first.kid, "jwk": first.public_jwk}}
    assert document["pending"]["in_token"]["fake"] in first.token
    assert '"d"' not in state.read_text()
    again = ClientKeys(first, state=state)
    assert (again.jwks, again.signing.kid) == (keys.jwks, first.kid)


@pytest.mark.parametrize("reference", [5, None, {}, {"jwk": 5}])
def test_a_damaged_reference_is_refused(tmp_path: Path, reference: object) -> None:
    state = tmp_path / "keys.json"
    first = TokenKey.first()
    ClientKeys(first, state=state)
    document = json.loads(state.read_text()) | {"signing": {"in_token": reference}}
    state.write_text(json.dumps(document))
    with pytest.raises(KeyStateError, match="is not a file of a client's keys"):
        ClientKeys(first, state=state)


def test_the_file_of_keys_in_a_token_is_of_no_other_client(tmp_path: Path) -> None:
    state = tmp_path / "keys.json"
    ClientKeys(TokenKey.first(), state=state)
    told = "is of a client whose keys are in a token"
    with pytest.raises(KeyStateError, match=told):
        ClientKeys(SigningKey.generate(), state=state)
    with pytest.raises(KeyStateError, match=told):
        ClientKeys.generated(state=state)


async def test_a_token_that_is_away_leaves_a_valid_access_token_in_use() -> None:
    first = TokenKey.first()
    server, credentials = client(ClientKeys(first))
    async with server.http() as http:
        assert (await credentials.token(http)).text == f"token of {first.kid}"
        first.token.clear()
        server.now += 290
        assert (await credentials.token(http)).text == f"token of {first.kid}"
        server.now += 20
        with pytest.raises(SignerError, match="the token is away"):
            await credentials.token(http)


async def test_a_key_that_its_token_has_lost_gives_way_to_another_one() -> None:
    first = TokenKey.first()
    keys = ClientKeys(first)
    second = first.generate_next()
    keys.publish(second)
    keys.promote()
    server, credentials = client(keys)
    del first.token[second.kid]
    async with server.http() as http:
        assert (await credentials.token(http)).text == f"token of {first.kid}"
    assert keys.signing.kid == first.kid


async def test_a_lost_former_key_does_not_hide_that_the_one_in_use_is_refused() -> None:
    first = TokenKey.first()
    keys = ClientKeys(first)
    keys.publish(first.generate_next())
    keys.promote()
    server, credentials = client(keys)
    server.registered.clear()
    del first.token[first.kid]
    async with server.http() as http:
        answer = await http.send(credentials.token_request())
        assert answer.status_code == 401
        with pytest.raises(NoTokenError):
            await credentials.token(http)
        with pytest.raises(RotationError, match="401"):
            await offer_new_key(keys, credentials, http)


@pytest.mark.parametrize("by_policy", [True, False])
async def test_attempts_that_fail_leave_one_key_in_the_token(by_policy: bool) -> None:
    first = TokenKey.first()
    keys = ClientKeys(first)
    server, credentials = client(keys)
    server.wants_key()
    server.refuses_registration = (403, "access_denied")
    slept = 0

    async def sleep(seconds: float) -> None:
        nonlocal slept
        server.now += seconds
        slept += 1
        if slept == 400:
            raise EnoughError

    async with server.http() as http:
        with pytest.raises(EnoughError):
            if by_policy:
                await follow_key_rotations(keys, credentials, http, sleep=sleep)
            else:  # the server does not know the key that is published
                every = timedelta(microseconds=1)
                await rotate_on_schedule(keys, credentials, http, every=every, sleep=sleep)
    assert keys.signing.kid == first.kid
    assert len(first.token) == 2


async def test_the_next_key_is_made_in_the_token() -> None:
    first = TokenKey.first()
    keys = ClientKeys(first)
    server, credentials = client(keys)
    server.wants_key()

    async def sleep(seconds: float) -> None:
        server.now += seconds

    async with server.http() as http:
        await offer_new_key(keys, credentials, http, sleep=sleep)
    assert server.offered == [keys.signing.kid]
    assert first.token.keys() == {first.kid, keys.signing.kid}
