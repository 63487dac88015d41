"""``compose.yaml``, checked against the Compose Specification and the files it refers to.

The schema ``compose-spec.json`` is that of the Compose Specification, unchanged (compose-spec/compose-spec at
170098b, June 2026, Apache-2.0).
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((Path(__file__).parent / "compose-spec.json").read_text())


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return document


def test_it_is_valid_by_the_compose_specification(compose: dict[str, Any]) -> None:
    Draft7Validator.check_schema(SCHEMA)
    assert [error.message for error in Draft7Validator(SCHEMA).iter_errors(compose)] == []


def test_the_schema_refuses_what_is_not_compose(compose: dict[str, Any]) -> None:
    broken = compose | {"services": {"redis": {"image": 1}}}
    assert list(Draft7Validator(SCHEMA).iter_errors(broken))


def test_it_runs_the_whole_of_keyturn(compose: dict[str, Any]) -> None:
    commands = {name: service.get("command") for name, service in compose["services"].items()}
    assert {name: command for name, command in commands.items() if command and len(command) == 1} == {
        "credentials": ["credentials"],
        "verifier-1": ["verifier"],
        "verifier-2": ["verifier"],
        "fetcher": ["fetcher"],
    }
    assert {"redis", "postgres", "gateway"} <= commands.keys()


def test_every_secret_network_and_volume_that_is_used_is_declared(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert set(service.get("secrets", [])) <= compose["secrets"].keys()
        assert set(service.get("networks", [])) <= compose["networks"].keys()
        for variable, value in service.get("environment", {}).items():
            if variable.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in service["secrets"]


def test_nodes_reach_the_credentials_service_from_addresses_that_it_trusts(compose: dict[str, Any]) -> None:
    """Only from the front network: from another one it would take all administrators for one caller."""
    host = compose["x-verifier"]["environment"]["KEYTURN_CREDENTIALS_URL"].split("/")[2].partition(":")[0]
    service = compose["services"]["credentials"]
    assert host not in compose["services"], "a service's name is known on each of its networks"
    assert [name for name, network in service["networks"].items() if host in network.get("aliases", [])] == [
        "front"
    ]
    subnet = compose["networks"]["front"]["ipam"]["config"][0]["subnet"]
    assert service["environment"]["KEYTURN_TRUSTED_PROXIES"] == subnet


def test_only_the_gateway_is_reachable_and_only_from_this_machine(compose: dict[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert ports == {"gateway": ["127.0.0.1:8080:8080"]}
    assert compose["networks"]["data"] == {"internal": True}


def test_the_gateway_is_believed_on_the_address_of_its_callers(compose: dict[str, Any]) -> None:
    (front,) = compose["networks"]["front"]["ipam"]["config"]
    for name in ("credentials", "verifier-1", "verifier-2"):
        assert compose["services"][name]["environment"]["KEYTURN_TRUSTED_PROXIES"] == front["subnet"]
    assert compose["services"]["gateway"]["networks"] == ["front"]


def test_each_service_sees_the_secrets_that_it_needs(compose: dict[str, Any]) -> None:
    """Nodes get neither the database nor its keys, and only the public halves of the log's; a fetcher gets
    nothing of clients."""
    common = {"fetcher_keys", "verifier_redis_url"}
    for name in ("verifier-1", "verifier-2"):
        secrets = set(compose["services"][name]["secrets"])
        assert secrets == common | {"fleet_keys", "log_verification_keys"}
    assert set(compose["services"]["fetcher"]["secrets"]) == common


def test_make_secrets_makes_every_secret_once(compose: dict[str, Any], tmp_path: Path) -> None:
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("secrets"))
    script = [tmp_path / "deploy" / "make-secrets"]
    subprocess.run(script, check=True, capture_output=True, timeout=20)
    made = tmp_path / "deploy" / "secrets"
    declared = {secret["file"].removeprefix("deploy/secrets/") for secret in compose["secrets"].values()}
    assert set(os.listdir(made)) == declared
    assert made.stat().st_mode & 0o777 == 0o700
    acl = (made / "users.acl").read_text()
    assert "change-me" not in acl
    # Redis refuses an aclfile with anything else in it, comments included.
    assert all(line.startswith("user ") for line in acl.splitlines())
    for name in ("credentials", "verifier"):
        password = re.search(rf"keyturn-{name}:([^@]+)@", (made / f"{name}_redis_url").read_text())
        assert password
        assert f"user keyturn-{name} on >{password[1]} " in acl

    before = {path.name: path.read_text() for path in made.iterdir()}
    again = subprocess.run(script, check=False, capture_output=True, timeout=20)
    assert again.returncode == 1
    assert {path.name: path.read_text() for path in made.iterdir()} == before


def test_secrets_made_for_compose_are_settings_the_services_take(tmp_path: Path) -> None:
    """The keys are valid key rings, and the log's keys the halves of one pair."""
    from keyturn_shared.sealing import KeyRing
    from keyturn_shared.signed_log.keys import LogSigningKeys

    shutil.copytree(ROOT / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("secrets"))
    subprocess.run([tmp_path / "deploy" / "make-secrets"], check=True, capture_output=True, timeout=20)
    for name in ("encryption_keys", "fleet_keys"):
        KeyRing.from_text((tmp_path / "deploy" / "secrets" / name).read_text(), purpose="test")
    made = tmp_path / "deploy" / "secrets"
    for private, public in (
        ("log_signing_keys", "log_verification_keys"),
        ("fetcher_keys", "fetcher_verification_keys"),
    ):
        signing = LogSigningKeys.from_text((made / private).read_text())
        assert signing.public_keys == (made / public).read_text()


def test_make_secrets_adds_what_a_former_release_did_not_need(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("secrets"))
    script = [tmp_path / "deploy" / "make-secrets"]
    subprocess.run(script, check=True, capture_output=True, timeout=20)
    made = tmp_path / "deploy" / "secrets"
    before = {path.name: path.read_text() for path in made.iterdir()}
    later = {"log_signing_keys", "log_verification_keys", "fetcher_keys", "fetcher_verification_keys"}
    for name in later:
        (made / name).unlink()
    subprocess.run(script, check=True, capture_output=True, timeout=20)
    after = {path.name: path.read_text() for path in made.iterdir()}
    assert before.keys() == after.keys()
    assert {name for name, text in before.items() if after[name] != text} == later


def test_the_image_gets_the_versions_and_hashes_that_were_tested() -> None:
    """``make constraints`` writes both files."""
    tested = _pins(ROOT / "constraints.txt")
    image = _pins(ROOT / "deploy" / "requirements.txt")
    assert {"sqlalchemy", "faststream", "typer", "hatchling"} <= image.keys()
    assert {name: pin for name, pin in image.items() if tested.get(name) != pin} == {}


def _pins(path: Path) -> dict[str, str]:
    blocks = re.split(r"\n(?=\S)", path.read_text())
    return {block.partition("==")[0]: block.strip() for block in blocks if "==" in block}
