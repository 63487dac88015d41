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
from urllib.parse import urlsplit

import pytest
import yaml
from jsonschema import Draft7Validator

from tests.testkit.distributions import brought_by
from tests.testkit.known_settings import read_settings
from tests.testkit.probe_options import probe_parameters

ROOT = Path(__file__).parents[3]
CREDENTIALS = ("credentials-1", "credentials-2")
NODES = ("verifier-1", "verifier-2", "verifier-3")
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
        "credentials-1": ["credentials"],
        "credentials-2": ["credentials"],
        "verifier-1": ["verifier"],
        "verifier-2": ["verifier"],
        "verifier-3": ["verifier"],
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
    assert host not in compose["services"], "a service's name is known on each of its networks"
    subnet = compose["networks"]["front"]["ipam"]["config"][0]["subnet"]
    for name in CREDENTIALS:
        service = compose["services"][name]
        networks = [
            each for each, network in service["networks"].items() if host in network.get("aliases", [])
        ]
        assert networks == ["front"]
        assert service["environment"]["KEYTURN_TRUSTED_PROXIES"] == subnet


def test_no_failed_request_takes_a_process_out_of_the_gateway() -> None:
    """Otherwise one that has been restarted is still left out while the next one is, and none is left."""
    text = (ROOT / "deploy" / "nginx" / "keyturn.conf").read_text()
    servers = re.findall(r"^    server (.*);$", text, re.MULTILINE)
    assert servers
    assert [server for server in servers if not server.endswith(" max_fails=0")] == []


def test_the_gateway_finds_every_process_by_the_names_in_its_file(compose: dict[str, Any]) -> None:
    """nginx uses all addresses of a name."""
    text = (ROOT / "deploy" / "nginx" / "keyturn.conf").read_text()
    names = set(re.findall(r"^    server ([\w-]+):8080", text, re.MULTILINE))
    found = {name: _answering(compose, name, "front") for name in names}
    assert found == {
        "credentials": {"credentials-1", "credentials-2"},
        "verifier-1": {"verifier-1"},
        "verifier-2": {"verifier-2", "verifier-3"},
    }
    assert names.isdisjoint(_answering(compose, "orders", "front"))


def _with_defaults(text: str) -> str:
    """Return a text as Compose reads it, with ``${NAME:-default}`` replaced by the default."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def _answering(compose: dict[str, Any], name: str, network: str) -> set[str]:
    """Return the services that have this name on a network."""
    found = set()
    for service, options in compose["services"].items():
        networks = options.get("networks", {})
        aliases = (
            networks[network].get("aliases", []) if isinstance(networks, dict) and network in networks else []
        )
        if network in networks and name in (service, *aliases):
            found.add(service)
    return found


def test_only_the_gateway_is_reachable_and_only_from_this_machine(compose: dict[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert ports == {
        "gateway": ["127.0.0.1:8080:8080"],
        "prometheus": ["127.0.0.1:9090:9090"],
        "grafana": ["127.0.0.1:3000:3000"],
    }
    assert compose["networks"]["data"] == {"internal": True}


def test_the_gateway_is_believed_on_the_address_of_its_callers(compose: dict[str, Any]) -> None:
    (front,) = compose["networks"]["front"]["ipam"]["config"]
    for name in (*CREDENTIALS, *NODES):
        assert compose["services"][name]["environment"]["KEYTURN_TRUSTED_PROXIES"] == front["subnet"]
    assert compose["services"]["gateway"]["networks"] == ["front"]


def test_each_service_sees_the_secrets_that_it_needs(compose: dict[str, Any]) -> None:
    """Nodes get neither the database nor its keys, and only the public halves of the log's; a fetcher gets
    nothing of clients."""
    common = {"fetcher_keys", "verifier_redis_url"}
    for name in NODES:
        secrets = set(compose["services"][name]["secrets"])
        assert secrets == common | {"fleet_keys", "log_verification_keys"}
    assert set(compose["services"]["fetcher"]["secrets"]) == common


def test_a_process_accepts_its_settings(
    compose: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("secrets"))
    subprocess.run([tmp_path / "deploy" / "make-secrets"], check=True, capture_output=True, timeout=20)
    for service in (*CREDENTIALS, *NODES, "fetcher"):
        (process,) = compose["services"][service]["command"]
        variables = {
            name: _with_defaults(value) for name, value in compose["services"][service]["environment"].items()
        }
        settings = read_settings(process, variables, tmp_path / "deploy" / "secrets", monkeypatch)
        assert str(settings.public_url) == "http://127.0.0.1:8080/"


def test_each_image_has_a_series_or_a_complete_version_with_its_digest(compose: dict[str, Any]) -> None:
    """All but keyturn's own, which is built here."""
    series, version = r"[a-z/]+:\d+(\.\d+)?", r"[a-z/]+:v?\d+\.\d+\.\d+@sha256:[0-9a-f]{64}"
    images = {service["image"] for service in compose["services"].values()} - {"keyturn"}
    assert images
    for image in images:
        assert re.fullmatch(f"{series}|{version}", image), image


def test_monitoring_and_prober_start_only_when_it_is_asked_for(compose: dict[str, Any]) -> None:
    profiles = {name: service.get("profiles") for name, service in compose["services"].items()}
    assert {name: found for name, found in profiles.items() if found} == {
        "prometheus": ["monitoring"],
        "grafana": ["monitoring"],
        "probe": ["probe"],
    }


def test_what_runs_by_default_needs_nothing_that_runs_by_a_profile(compose: dict[str, Any]) -> None:
    services = compose["services"]
    optional = {name for name, service in services.items() if "profiles" in service}
    for name in services.keys() - optional:
        assert optional.isdisjoint(services[name].get("depends_on", {})), name
        assert "prober_secret" not in services[name].get("secrets", []), name


def test_prometheus_scrapes_every_process_on_a_network_of_its_own(compose: dict[str, Any]) -> None:
    document = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yaml").read_text())
    targets = {
        job["job_name"]: {target for each in job["static_configs"] for target in each["targets"]}
        for job in document["scrape_configs"]
        if "static_configs" in job
    }
    assert targets == {
        "keyturn-credentials": {f"{name}:8080" for name in CREDENTIALS},
        "keyturn-verifier": {f"{name}:8080" for name in NODES},
        "keyturn-fetcher": {"fetcher:8080"},
    }
    (by_name,) = (job for job in document["scrape_configs"] if "static_configs" not in job)
    (found,) = by_name["dns_sd_configs"]
    assert (by_name["job_name"], found["names"], found["port"]) == ("keyturn-probe", ["probe"], 8080)
    assert compose["services"]["prometheus"]["networks"] == ["monitoring"]
    for name in (*CREDENTIALS, *NODES, "fetcher", "probe"):
        assert "monitoring" in compose["services"][name]["networks"]


def test_the_prober_asks_every_node_by_its_own_address(compose: dict[str, Any]) -> None:
    """It is no proxy, so nothing it asks may come from a network of trusted proxies."""
    probe = compose["services"]["probe"]
    parameters = probe_parameters(_with_defaults(word) for word in probe["command"])
    assert parameters["node"] == [f"http://{name}:8080" for name in NODES]
    host = urlsplit(parameters["server"]).hostname or ""
    assert _answering(compose, host, "monitoring") == set(CREDENTIALS)
    assert probe["networks"] == ["monitoring"]
    assert parameters["forwarded_for"] is None
    assert parameters["metrics_address"] == "0.0.0.0:8080"
    assert str(parameters["secret_file"]).removeprefix("/run/secrets/") in probe["secrets"]
    assert not parameters["once"]


def test_the_health_of_the_prober_is_asked_where_it_is_served(compose: dict[str, Any]) -> None:
    """The image's own check asks for a path that only the services have."""
    test = compose["services"]["probe"]["healthcheck"]["test"]
    assert test[:3] == ["CMD", "python", "-c"]
    assert "http://127.0.0.1:8080/health'" in test[3]


def test_grafana_gets_the_dashboards_and_prometheus(compose: dict[str, Any]) -> None:
    grafana = compose["services"]["grafana"]
    mounted = dict(volume.removesuffix(":ro").split(":") for volume in grafana["volumes"])
    directory = ROOT / "deploy" / "grafana"
    provisioning = directory / "provisioning"
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "keyturn.yaml").read_text())["providers"]
    assert mounted["./deploy/grafana"] == provider["options"]["path"]
    assert mounted["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (directory / Path(home).name).is_file()
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    assert "prometheus" in compose["services"]


def test_everything_but_the_stores_runs_without_rights(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if name not in ("redis", "postgres", "gateway"):
            assert service["read_only"] is True, name
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]


def test_make_secrets_makes_every_secret_once(compose: dict[str, Any], tmp_path: Path) -> None:
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("secrets"))
    script = [tmp_path / "deploy" / "make-secrets"]
    subprocess.run(script, check=True, capture_output=True, timeout=20)
    made = tmp_path / "deploy" / "secrets"
    declared = {secret["file"].removeprefix("deploy/secrets/") for secret in compose["secrets"].values()}
    assert set(os.listdir(made)) == declared - {"prober_secret"}, "keyturn makes that of the prober's client"
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
    later |= {"grafana_password"}
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


def test_make_run_installs_what_running_needs_and_no_more() -> None:
    tested = _pins(ROOT / "constraints.txt")
    local = _pins(ROOT / "deploy" / "requirements-local.txt")
    assert {name: pin for name, pin in local.items() if tested.get(name) != pin} == {}
    assert brought_by("local") <= local.keys()
    assert local.keys() & {"pytest", "mypy", "ruff", "playwright", "requests", "authlib"} == set()
    recipe = (ROOT / "Makefile").read_text()
    assert "\nrun: $(RUNNABLE) " in recipe
    assert "$(call install_into_venv,deploy/requirements-local.txt)" in recipe


def _pins(path: Path) -> dict[str, str]:
    blocks = re.split(r"\n(?=\S)", path.read_text())
    return {block.partition("==")[0]: block.strip() for block in blocks if "==" in block}
