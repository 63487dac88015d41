"""A client's keys on disk, and shared by its processes."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from keyturn import ClientKeys, KeyStateError, RotationError, SigningKey
from keyturn.client.key_state import read_state
from keyturn_shared.jose.errors import InvalidKeyError
from tests.unit.keyturn.client.external_key import ExternalKey


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def kids(keys: ClientKeys) -> list[str]:
    published: Any = keys.jwks["keys"]
    return [key["kid"] for key in published]


def test_what_is_in_the_file_takes_precedence_over_the_configured_key(file: Path) -> None:
    first, second = SigningKey.generate(kid="first"), SigningKey.generate(kid="second")
    keys = ClientKeys(first, state=file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    keys.publish(second)
    assert kids(ClientKeys(first, state=file)) == ["first", "second"]
    keys.promote()
    again = ClientKeys(first, state=file)
    assert (again.signing.kid, kids(again)) == ("second", ["second", "first"])
    assert [key.kid for key in again.others(again.signing)] == ["first"]


def test_a_restart_does_not_prolong_the_time_of_a_former_key(file: Path) -> None:
    clock = Clock()
    first, second = SigningKey.generate(kid="first"), SigningKey.generate(kid="second")
    keys = ClientKeys(first, state=file, elapsed=clock, now=clock)
    keys.publish(second)
    keys.promote()
    clock.now += 70
    again = ClientKeys(first, state=file, elapsed=clock, now=clock)
    assert kids(again) == ["second", "first"]
    clock.now += 5
    assert kids(again) == ["second"]
    assert "first" not in file.read_text(), "its private key is deleted"


def test_a_step_of_the_wall_clock_withdraws_no_key(file: Path) -> None:
    elapsed, wall = Clock(), Clock()
    keys = ClientKeys(SigningKey.generate(kid="first"), state=file, elapsed=elapsed, now=wall)
    keys.publish(SigningKey.generate(kid="second"))
    keys.promote()
    wall.now += 86_400
    assert kids(keys) == ["second", "first"]
    elapsed.now += 75
    assert kids(keys) == ["second"]


def test_the_first_key_is_generated_once(file: Path) -> None:
    made = ClientKeys.generated("ES384", state=file)
    assert made.signing.algorithm == "ES384"
    again = ClientKeys.generated("ES384", state=file)
    assert again.signing.kid == made.signing.kid
    assert again.others(again.signing) == ()


def test_processes_that_share_the_file_publish_and_sign_alike(file: Path) -> None:
    first = SigningKey.generate(kid="first")
    one, other = (ClientKeys(first, state=file) for _ in range(2))
    one.publish(SigningKey.generate(kid="second"))
    assert kids(other) == ["first", "second"]
    with pytest.raises(RotationError):
        other.publish(SigningKey.generate())
    one.promote()
    assert (other.signing.kid, kids(other)) == ("second", ["second", "first"])
    with one.rotating(), pytest.raises(RotationError, match="another process"), other.rotating():
        pass
    with other.rotating(), pytest.raises(RotationError), other.rotating():
        pass


def test_a_key_that_was_kept_for_a_rotation_is_published_until_that_has_ended() -> None:
    clock = Clock()
    keys = ClientKeys(SigningKey.generate(kid="first"), elapsed=clock, now=clock)
    second = SigningKey.generate(kid="second")
    keys.publish(second)
    keys.use(second, answered="r-1", keep=True)
    clock.now += 3600
    assert (kids(keys), keys.answered, keys.age) == (["second", "first"], "r-1", 3600)
    keys.settle()
    clock.now += 74
    assert kids(keys) == ["second", "first"]
    clock.now += 1
    assert kids(keys) == ["second"]


def test_a_former_key_can_sign_again() -> None:
    first, second = SigningKey.generate(kid="first"), SigningKey.generate(kid="second")
    keys = ClientKeys(first)
    keys.publish(second)
    keys.use(second, answered="r-1")
    keys.use(first)
    assert (keys.signing.kid, kids(keys), keys.answered) == ("first", ["first", "second"], None)


def test_two_keys_of_one_kid_are_not_published_together() -> None:
    keys = ClientKeys(SigningKey.generate(kid="mine"))
    with pytest.raises(RotationError, match="has the kid of another one"):
        keys.publish(SigningKey.generate(kid="mine"))


def test_a_file_that_cannot_be_written_leaves_everything_as_it_was(tmp_path: Path) -> None:
    directory = tmp_path / "kept"
    directory.mkdir()
    keys = ClientKeys(SigningKey.generate(kid="first"), state=directory / "keys.json")
    directory.rename(tmp_path / "gone")
    with pytest.raises(KeyStateError, match="No such file"):
        keys.publish(SigningKey.generate(kid="second"))
    assert (kids(keys), keys.pending) == (["first"], None)
    with pytest.raises(KeyStateError, match="No such file"):
        ClientKeys(SigningKey.generate(), state=directory / "keys.json")


@pytest.mark.parametrize(
    "change",
    [
        {"signing": None},
        {"signing": {"kty": "EC"}},
        {"former": [{}]},
        {"since": "now"},
        {"since": None},
        {"answered": 5},
    ],
)
def test_a_file_of_something_else_is_refused_and_not_quoted(file: Path, change: dict[str, object]) -> None:
    key = SigningKey.generate()
    ClientKeys(key, state=file)
    assert read_state(file) is not None
    document = json.loads(file.read_text())
    file.write_text(json.dumps(document | change))
    with pytest.raises(KeyStateError, match="is not a file of a client's keys") as refused:
        ClientKeys(key, state=file)
    assert document["signing"]["d"] not in str(refused.value)
    file.write_text("\x00")
    with pytest.raises(KeyStateError):
        ClientKeys(key, state=file)


def test_a_key_that_is_elsewhere_is_published_but_not_kept(file: Path) -> None:
    key = ExternalKey()
    keys = ClientKeys(key)
    assert keys.jwks["keys"] == [{**key.public_jwk, "kid": "kms/1", "alg": "ES256", "use": "sig"}]
    with pytest.raises(TypeError):
        ClientKeys(key, state=file)
    kept = ClientKeys(SigningKey.generate(), state=file)
    with pytest.raises(TypeError):
        kept.publish(key)
    assert kept.pending is None


def test_a_key_that_no_verifier_accepts_is_refused() -> None:
    class Odd(ExternalKey):
        @property
        def algorithm(self) -> str:
            return "RS256"

    with pytest.raises(InvalidKeyError):
        ClientKeys(Odd())
