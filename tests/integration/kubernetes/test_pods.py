"""Each pod runs without rights, with settings that its process accepts, and with the right probes."""

import shutil
import subprocess
from pathlib import Path

import pytest

from keyturn_credentials.settings import CredentialsSettings
from keyturn_verifier.settings import VerifierSettings
from tests.integration.kubernetes.chart import (
    EXAMPLES,
    Manifest,
    container,
    environment,
    of_kind,
    render,
    rendered,
)
from tests.testkit.known_settings import known_settings, read_settings
from tests.testkit.tools import REPOSITORY

pytestmark = pytest.mark.timeout(900)  # the first test of all builds Helm
ALL = ["defaults", *EXAMPLES]
PROCESSES = ("credentials", "verifier", "fetcher")


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files as deploy/make-secrets makes them."""
    directory = tmp_path_factory.mktemp("secrets")
    shutil.copytree(REPOSITORY / "deploy", directory / "deploy", ignore=shutil.ignore_patterns("secrets"))
    subprocess.run([directory / "deploy" / "make-secrets"], check=True, capture_output=True, timeout=20)
    return directory / "deploy" / "secrets"


def _deployments(example: str) -> dict[str, Manifest]:
    return of_kind(rendered(example), "Deployment")


@pytest.mark.parametrize("example", ALL)
def test_pods_run_as_a_user_without_rights_on_a_file_system_that_cannot_be_written(example: str) -> None:
    for deployment in _deployments(example).values():
        pod = deployment["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert container(deployment)["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


@pytest.mark.parametrize("example", ALL)
def test_pods_say_what_they_need_and_are_spread(example: str) -> None:
    for name, deployment in _deployments(example).items():
        resources = container(deployment)["resources"]
        assert {"cpu", "memory"} <= resources["requests"].keys()
        assert "memory" in resources["limits"]
        spec = deployment["spec"]["template"]["spec"]
        spread = {each["topologyKey"] for each in spec["topologySpreadConstraints"]}
        assert spread == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
        assert name in of_kind(rendered(example), "PodDisruptionBudget")


@pytest.mark.parametrize("example", ALL)
def test_only_a_process_that_does_not_respond_is_restarted(example: str) -> None:
    for name in _deployments(example).keys() & set(PROCESSES):
        probes = container(_deployments(example)[name])
        paths = {
            kind: probes[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")
        }
        assert paths == {"startup": "/health/live", "liveness": "/health/live", "readiness": "/health/ready"}
    # A node without its lease gets no requests after the next probe.
    assert container(_deployments(example)["verifier"])["readinessProbe"]["failureThreshold"] == 1


def test_a_migration_may_take_minutes_before_the_process_listens() -> None:
    probe = container(_deployments("defaults")["credentials"])["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == 600


@pytest.mark.parametrize("example", ALL)
def test_a_pod_has_time_to_drain(example: str, monkeypatch: pytest.MonkeyPatch, secrets: Path) -> None:
    deployment = _deployments(example)["verifier"]
    (_, seconds) = container(deployment)["lifecycle"]["preStop"]["exec"]["command"]
    settings = read_settings("verifier", environment(deployment), secrets, monkeypatch)
    assert isinstance(settings, VerifierSettings)
    spec = deployment["spec"]["template"]["spec"]
    assert float(seconds) + settings.drain_seconds < spec["terminationGracePeriodSeconds"]


@pytest.mark.parametrize("example", ALL)
@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_accepts_its_settings(
    example: str, process: str, secrets: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    deployment = _deployments(example).get(process)
    if deployment is None:
        assert (example, process) == ("gateway-api", "fetcher")
        return
    assert container(deployment)["args"] == [process]
    variables = environment(deployment)
    for name in variables:
        if name.endswith("_PATH"):
            mounts = [each["mountPath"] for each in container(deployment)["volumeMounts"]]
            assert str(Path(variables[name]).parent) in mounts
            variables[name] = str(secrets / "fleet_keys")  # settings require that the file is there
    settings = read_settings(process, variables, secrets, monkeypatch)
    assert str(settings.public_url) == "https://id.example.com/"
    assert [str(network) for network in settings.trusted_proxies] == ["10.42.0.0/16"]
    if isinstance(settings, CredentialsSettings):
        assert settings.realm_seals
        assert settings.log_signing_keys is not None


@pytest.mark.parametrize("example", ALL)
def test_secrets_are_files_and_no_variables(example: str) -> None:
    for name in _deployments(example).keys() & set(PROCESSES):
        deployment = _deployments(example)[name]
        (secret,) = (
            volume["secret"]
            for volume in deployment["spec"]["template"]["spec"]["volumes"]
            if volume["name"] == "secrets"
        )
        assert secret["secretName"] == f"keyturn-{name}"
        mounted = {f"/run/secrets/keyturn/{item['path']}" for item in secret["items"]}
        variables = environment(deployment)
        assert {path for variable, path in variables.items() if variable.endswith("_FILE")} == mounted
        assert not any(
            part in variable
            for variable in variables
            for part in ("SECRET", "KEYS", "URL")
            if not variable.endswith("_FILE")
            and variable not in ("KEYTURN_PUBLIC_URL", "KEYTURN_CREDENTIALS_URL")
        )


def test_each_process_sees_the_secrets_that_it_needs() -> None:
    """Nodes see neither the database nor its keys, and a fetcher nothing of clients."""
    keys = {
        name: {
            variable for variable in environment(_deployments("defaults")[name]) if variable.endswith("_FILE")
        }
        for name in PROCESSES
    }
    assert keys["verifier"] == {
        f"KEYTURN_{name}_FILE"
        for name in ("REDIS_URL", "FLEET_KEYS", "LOG_VERIFICATION_KEYS", "FETCHER_KEYS")
    }
    assert keys["fetcher"] == {"KEYTURN_REDIS_URL_FILE", "KEYTURN_FETCHER_KEYS_FILE"}


def test_settings_of_a_component_come_before_those_of_all() -> None:
    own, common = {"KEYTURN_LOG_LEVEL": "debug"}, {"KEYTURN_LOG_LEVEL": "error"}
    deployments = of_kind(render(settings=common, verifier={"settings": own}), "Deployment")
    levels = {name: environment(deployments[name])["KEYTURN_LOG_LEVEL"] for name in PROCESSES}
    assert levels == {"credentials": "error", "verifier": "debug", "fetcher": "error"}


def test_a_setting_can_be_empty_false_or_a_large_number() -> None:
    common = {"KEYTURN_FAILURE_LIMIT_CLIENT": 50, "KEYTURN_SERVE_STALE": True}
    own = {
        "KEYTURN_FAILURE_LIMIT_CLIENT": 0,
        "KEYTURN_SERVE_STALE": False,
        "KEYTURN_CACHED_CLIENTS": 2_000_000,
        "KEYTURN_SHADOW_SHARE": 0.25,
    }
    deployments = of_kind(render(settings=common, verifier={"settings": own}), "Deployment")
    variables = environment(deployments["verifier"])
    assert {name: variables[name] for name in own} == {
        "KEYTURN_FAILURE_LIMIT_CLIENT": "0",
        "KEYTURN_SERVE_STALE": "false",
        "KEYTURN_CACHED_CLIENTS": "2000000",
        "KEYTURN_SHADOW_SHARE": "0.25",
    }


def test_nodes_can_have_realm_keys_instead_of_fleet_keys() -> None:
    keys = {"KEYTURN_FLEET_KEYS": None, "KEYTURN_REALM_KEYS": "realm_keys"}
    variables = environment(of_kind(render(verifier={"secretKeys": keys}), "Deployment")["verifier"])
    assert variables["KEYTURN_REALM_KEYS_FILE"] == "/run/secrets/keyturn/realm_keys"
    assert "KEYTURN_FLEET_KEYS_FILE" not in variables


def test_a_device_that_unwraps_keys_gets_its_pin_from_a_file() -> None:
    device = {"KEYTURN_PKCS11_MODULE": "/device/module.so", "KEYTURN_PKCS11_TOKEN": "keyturn"}
    mounted = {"name": "device", "mountPath": "/device"}
    values = {
        "secretKeys": {"KEYTURN_PKCS11_PIN": "pkcs11_pin"},
        "settings": device,
        "volumes": [{"name": "device", "hostPath": {"path": "/opt/device"}}],
        "volumeMounts": [mounted],
    }
    deployments = of_kind(render(credentials=values, verifier=values), "Deployment")
    for name in ("credentials", "verifier"):
        variables = environment(deployments[name])
        assert device.items() <= variables.items()
        assert variables["KEYTURN_PKCS11_PIN_FILE"] == "/run/secrets/keyturn/pkcs11_pin"
        assert variables.keys() <= known_settings(name)
        assert mounted in container(deployments[name])["volumeMounts"]


def test_one_component_can_be_upgraded_before_the_others() -> None:
    image = {"tag": "1.0", "digest": f"sha256:{'0' * 64}"}
    deployments = of_kind(render(image=image, credentials={"tag": "2.0"}), "Deployment")
    assert container(deployments["credentials"])["image"] == "keyturn:2.0"
    assert container(deployments["verifier"])["image"] == f"keyturn@{image['digest']}"


def test_nodes_fetch_only_without_a_fetcher() -> None:
    with_fetcher, without = _deployments("defaults"), _deployments("gateway-api")
    assert "fetcher" not in without
    assert environment(with_fetcher["verifier"])["KEYTURN_FETCHER_ENABLED"] == "false"
    assert environment(without["verifier"])["KEYTURN_FETCHER_ENABLED"] == "true"


def test_nodes_find_the_credentials_service() -> None:
    url = environment(_deployments("defaults")["verifier"])["KEYTURN_CREDENTIALS_URL"]
    assert url == "http://keyturn-credentials.id.svc:8080"
    (port,) = of_kind(rendered("defaults"), "Service")["credentials"]["spec"]["ports"]
    assert port["port"] == 8080


def test_the_autoscaler_alone_decides_how_many_nodes_there_are() -> None:
    scaled, fixed = rendered("defaults"), rendered("gateway-api")
    assert "replicas" not in of_kind(scaled, "Deployment")["verifier"]["spec"]
    target = of_kind(scaled, "HorizontalPodAutoscaler")["verifier"]["spec"]["scaleTargetRef"]
    assert target["name"] == "keyturn-verifier"
    assert of_kind(fixed, "Deployment")["verifier"]["spec"]["replicas"] == 4
    assert of_kind(fixed, "HorizontalPodAutoscaler") == {}


def test_a_setting_that_no_process_knows_is_noticed(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deployments = of_kind(render(settings={"KEYTURN_LOG_LEVELS": "debug"}), "Deployment")
    assert "KEYTURN_LOG_LEVELS" not in known_settings("verifier")
    with pytest.raises(AssertionError):
        read_settings("verifier", environment(deployments["verifier"]), secrets, monkeypatch)
