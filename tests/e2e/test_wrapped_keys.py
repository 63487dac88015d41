"""The runbooks for wrapped keys, command by command, beside a service that uses what they make."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from keyturn_shared.sealing import KeyRing
from tests.e2e.runbook import blocks, run
from tests.testkit.credentials_instances import READY_SECONDS, Surroundings
from tests.testkit.credentials_process import environment
from tests.testkit.single_request import until_ready
from tests.testkit.softhsm import PIN, SoftHsm, softhsm

WRAPPING, ANOTHER, FAILS = (
    "### Wrapped keys",
    "### Another key encryption key",
    "### When keys cannot be unwrapped",
)
FILES = ("encryption_keys", "fleet_keys")


@pytest.fixture
def around(tmp_path: Path) -> Iterator[Surroundings]:
    with closing(Surroundings(tmp_path, "sqlite", 1)) as surroundings:
        yield surroundings


@pytest.fixture
def hsm(tmp_path: Path) -> Iterator[SoftHsm]:
    place = tmp_path / "softhsm"
    place.mkdir()
    with softhsm(place) as made:
        made.make_token("keyturn")
        yield made


@pytest.mark.timeout(900)
async def test_the_runbooks_wrap_rewrap_and_replace_keys(
    around: Surroundings, hsm: SoftHsm, tmp_path: Path
) -> None:
    await around.start()
    (instance,) = around.instances
    assert instance.stop() == 0
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    plain = [
        around.settings.encryption_keys.get_secret_value(),
        around.settings.fleet_keys.get_secret_value(),
    ]
    for name, key in zip(FILES, plain, strict=True):
        (secrets / name).write_text(key)
    (tmp_path / "pin").write_text(PIN)
    device = {
        **hsm.environment,
        "KEYTURN_PKCS11_MODULE": str(hsm.module),
        "KEYTURN_PKCS11_TOKEN": "keyturn",
        "KEYTURN_PKCS11_PIN_FILE": str(tmp_path / "pin"),
        "KEYTURN_PKCS11_SECONDS": "60",
    }
    files = {f"KEYTURN_{name.upper()}_FILE": str(secrets / name) for name in FILES}
    service = environment(around.settings, instance.port) | device | files
    for name in FILES:
        del service[f"KEYTURN_{name.upper()}"]
    instance.variables = service
    settings = {name: value for name, value in service.items() if name.startswith("KEYTURN_")}

    def do(block: str, **changes: str) -> str:
        done = run(block, secrets, **settings | hsm.environment | changes)
        assert done.returncode == 0, done.stderr
        return done.stdout

    making, wrapping, replacing, adding = blocks(WRAPPING)
    first = do(making).strip()
    do(wrapping)
    assert do(replacing) == "The settings of credentials are valid\n"
    assert [(secrets / "offline" / name).read_text() for name in FILES] == plain
    for name in FILES:
        assert (secrets / name).read_text().startswith(f"A256KW.{first}.")
    shown = do(adding).splitlines()
    assert [line.split(" ", 1)[1] for line in shown] == [f"wrapped under {first}"] * 2
    instance.start()
    await until_ready(instance.url, seconds=READY_SECONDS)
    assert instance.stop() == 0

    (rewrapping,) = blocks(ANOTHER)
    before = [(secrets / name).read_text() for name in FILES]
    typed = run(f"set +e\n{rewrapping}", secrets, **settings | {"KEYTURN_PKCS11_TOKEN": "none"})
    assert typed.returncode == 2
    assert [(secrets / name).read_text() for name in FILES] == before, "each command was typed, and failed"
    said = do(rewrapping).splitlines()
    assert said[1:] == ["The settings of credentials are valid"]
    second = said[0]
    ids = [line.split()[0] for line in shown]
    assert do("keyturn key-wrapping show encryption").splitlines() == [
        f"{key_id} wrapped under {second}" for key_id in ids
    ]
    hsm.remove_key("keyturn", bytes.fromhex(first))
    instance.start()
    await until_ready(instance.url, seconds=READY_SECONDS)
    assert instance.stop() == 0

    (checking,) = blocks(FAILS)
    with hsm.without_tokens():
        refused = run(checking, secrets, **settings | hsm.environment)
        assert refused.returncode == 2
        assert "has no token 'keyturn'" in refused.stderr
        offline = {f"KEYTURN_{name.upper()}_FILE": str(secrets / "offline" / name) for name in FILES}
        assert do(checking, **offline) == "The settings of credentials are valid\n"


@pytest.mark.timeout(300)
def test_whoever_types_the_commands_of_a_failed_change_again_loses_no_plain_key(tmp_path: Path) -> None:
    """No device is named, so nothing can be wrapped, and what was to be moved is empty."""
    plain = {name: KeyRing.generate_key() for name in FILES}
    for name, key in plain.items():
        (tmp_path / name).write_text(key)
    settings = {f"KEYTURN_{name.upper()}_FILE": str(tmp_path / name) for name in FILES}
    _, wrapping, replacing, _ = blocks(WRAPPING)
    for _ in range(2):
        assert run(f"set +e\n{wrapping}", tmp_path, **settings).returncode == 2
        assert run(f"set +e\n{replacing}", tmp_path, **settings).returncode != 0
        assert {name: (tmp_path / name).read_text() for name in FILES} == plain

    offline = tmp_path / "offline"  # of a change that was made, and is typed again
    offline.mkdir()
    for name in FILES:
        (tmp_path / name).rename(offline / name)
        for file in (tmp_path / name, tmp_path / f"{name}.new"):
            file.write_text("A256KW.01.00000000.wrapped")
    assert run(f"set +e\n{replacing}", tmp_path, **settings).returncode != 0
    assert {name: (offline / name).read_text() for name in FILES} == plain
