"""Rotations to keys that the token generates, over restarts."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from pkcs11.constants import Attribute, ObjectClass

from keyturn import (
    ClientCredentials,
    ClientKeys,
    KeyStateError,
    Pkcs11Signer,
    SignerError,
    SigningKey,
    offer_new_key,
    rotate,
    rotate_on_schedule,
)
from keyturn.client.rotation import maker_of_next
from tests.integration.pkcs11.conftest import Token
from tests.integration.pkcs11.signatures import USUAL, assert_signs
from tests.testkit.key_server import ISSUER, KeyServer


class EnoughError(Exception):
    """Ends a task that runs for ever."""


async def at_once(_: float) -> None:
    """Take no time."""


def registered(keys: ClientKeys) -> tuple[KeyServer, ClientCredentials]:
    """Return the server of a client whose keys are registered there, with its credentials."""
    server = KeyServer(dict(keys.jwks["keys"][0]))  # type: ignore[index]  # a list of objects
    return server, ClientCredentials(ISSUER, "worker", keys, now=lambda: server.now)


def kids(keys: ClientKeys) -> list[str]:
    return [key["kid"] for key in keys.jwks["keys"]]  # type: ignore[attr-defined]  # a list of objects


@pytest.mark.parametrize("kind", [*USUAL, "RSA-3072"])
def test_a_generated_key_is_like_the_former_one_and_never_leaves_the_token(token: Token, kind: str) -> None:
    token.make_key(kind)
    first = token.signer()
    following = first.generate_next()
    assert following.algorithm == first.algorithm
    assert len(str(following.public_jwk.get("n"))) == len(str(first.public_jwk.get("n")))
    assert following.kid != first.kid
    for signer in (following, first):
        assert_signs(signer)
    with token.session() as session:
        made = {key[Attribute.LABEL]: key for key in token.objects(session, ObjectClass.PRIVATE_KEY)}
        (label,) = made.keys() - {"orders"}
        is_true = ("SENSITIVE", "ALWAYS_SENSITIVE", "NEVER_EXTRACTABLE", "PRIVATE", "TOKEN", "LOCAL", "SIGN")
        is_false = ("EXTRACTABLE", "DECRYPT", "UNWRAP", "DERIVE")
        found = {name: made[label][Attribute[name]] for name in (*is_true, *is_false)}
        assert found == dict.fromkeys(is_true, True) | dict.fromkeys(is_false, False)
        assert label == f"orders-{made[label][Attribute.ID].hex()[:8]}"
    assert token.signer(key=label).kid == following.kid


def test_labels_of_generated_keys_do_not_grow(token: Token, tmp_path: Path) -> None:
    token.make_key("P-256")
    first = token.signer()
    keys = ClientKeys(first, state=tmp_path / "keys.json")
    for _ in range(3):
        following = maker_of_next(ClientKeys(first, state=tmp_path / "keys.json").signing)()
        keys.publish(following)
        keys.promote()
    with token.session() as session:
        labels = {str(key[Attribute.LABEL]) for key in token.objects(session, ObjectClass.PRIVATE_KEY)}
    assert len(labels) == 4
    assert all(re.fullmatch("orders(-[0-9a-f]{8})?", label) for label in labels), labels


async def test_a_policy_gets_its_new_key_from_the_token_and_a_restart_goes_on_with_it(
    token: Token, tmp_path: Path
) -> None:
    token.make_key("P-256")
    state = tmp_path / "keys.json"
    first = token.signer()
    keys = ClientKeys(first, state=state)
    server, credentials = registered(keys)
    server.wants_key()
    async with server.http() as http:
        await offer_new_key(keys, credentials, http, sleep=at_once)
    following = keys.signing
    assert isinstance(following, Pkcs11Signer)
    assert following.kid != first.kid
    assert (server.offered, server.refused) == ([following.kid], [])
    assert '"d"' not in state.read_text()
    assert state.stat().st_mode & 0o777 == 0o600

    restarted = ClientKeys(token.signer(), state=state)
    assert (restarted.signing.kid, kids(restarted)) == (following.kid, kids(keys))
    assert_signs(restarted.signing)
    assert [key.kid for key in restarted.others(restarted.signing)] == [first.kid]


async def test_an_interrupted_rotation_of_published_keys_goes_on(token: Token, tmp_path: Path) -> None:
    token.make_key("RSA-2048")
    state = tmp_path / "keys.json"
    first = token.signer(algorithm="PS256", kid="first")
    keys = ClientKeys(first, state=state)
    following = first.generate_next()
    keys.publish(following)

    restarted = ClientKeys(first, state=state)
    server = KeyServer(published=lambda: restarted.jwks)
    credentials = ClientCredentials(ISSUER, "worker", restarted, now=lambda: server.now)
    async with server.http() as http:
        await rotate(restarted, credentials, http, sleep=at_once)
        assert (restarted.signing.kid, restarted.signing.algorithm) == (following.kid, "PS256")
        assert kids(restarted) == [following.kid, "first"]

        slept = 0

        async def sleep(_: float) -> None:
            nonlocal slept
            slept += 1
            if slept > 3:
                raise EnoughError

        with pytest.raises(EnoughError):
            await rotate_on_schedule(
                restarted, credentials, http, every=timedelta(microseconds=1), sleep=sleep
            )
    assert restarted.signing.kid not in (following.kid, "first")
    assert server.refused == []


def test_the_file_of_another_kind_of_client_is_told(token: Token, tmp_path: Path) -> None:
    token.make_key("P-256")
    state = tmp_path / "keys.json"
    ClientKeys(token.signer(), state=state)
    told = f"{state} is of a client whose keys are in a token"
    with pytest.raises(KeyStateError) as refused:
        ClientKeys(SigningKey.generate(), state=state)
    assert refused.value.detail == told
    with pytest.raises(KeyStateError) as refused:
        ClientKeys.generated(state=state)
    assert refused.value.detail == told
    for reference in (5, {}, {"pkcs11": 5}, {"pkcs11": {"key": "orders", "key_id": "xy"}}):
        document = json.loads(state.read_text())
        state.write_text(json.dumps(document | {"signing": {"in_token": reference}}))
        with pytest.raises(KeyStateError, match="is not a file of a client's keys"):
            ClientKeys(token.signer(), state=state)


async def test_a_key_that_is_gone_from_the_token_gives_way_to_the_configured_one(
    token: Token, tmp_path: Path
) -> None:
    token.make_key("P-256")
    state = tmp_path / "keys.json"
    first = token.signer()
    keys = ClientKeys(first, state=state)
    server, credentials = registered(keys)
    keys.publish(first.generate_next())
    keys.promote()
    with token.session() as session:
        for key in token.objects(session, ObjectClass.PRIVATE_KEY):
            if key[Attribute.LABEL] != "orders":
                key.destroy()
    with pytest.raises(SignerError, match="has no private key 'orders-"):
        keys.signing.sign(b"data")
    async with server.http() as http:
        assert (await credentials.token(http)).text == f"token of {first.kid}"
    assert keys.signing.kid == first.kid


async def test_a_token_that_cannot_make_a_key_leaves_everything_as_it_was(token: Token) -> None:
    token.make_key("P-256")
    keys = ClientKeys(token.signer())
    server, credentials = registered(keys)
    server.wants_key()
    async with server.http() as http:
        with token.hsm.without_tokens(), pytest.raises(SignerError, match="has no token"):
            await offer_new_key(keys, credentials, http, sleep=at_once)
        assert (keys.pending, server.offered) == (None, [])
        await offer_new_key(keys, credentials, http, sleep=at_once)
    assert keys.signing.kid in server.offered
