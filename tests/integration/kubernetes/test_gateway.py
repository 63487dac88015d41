"""The gateway of the chart is nginx with the ready file; the HTTPRoute without it follows the same rule."""

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from keyturn.stack.nginx import nginx_command
from keyturn_shared.network.proxy_headers import PROXY_HEADERS
from tests.integration.kubernetes.chart import CHART, environment, of_kind, render, rendered
from tests.testkit.nginx import serve_configuration
from tests.testkit.ports import find_free_ports
from tests.testkit.processes import Processes
from tests.testkit.tools import REPOSITORY, run

pytestmark = pytest.mark.timeout(900)  # the first test of all builds Helm
READY = (REPOSITORY / "deploy" / "nginx" / "keyturn.conf").read_text()
_UPSTREAM = re.compile(r"upstream (\w+) \{\n.*?\n\}", re.DOTALL)


def _files(**gateway: Any) -> dict[str, str]:
    """Return the files of the gateway."""
    data: dict[str, str] = of_kind(render(gateway=gateway), "ConfigMap")["gateway"]["data"]
    return data


def test_the_gateway_has_the_ready_file_with_other_upstreams() -> None:
    made = _files()["keyturn.conf"]
    assert _UPSTREAM.sub("", made).strip() == _UPSTREAM.sub("", READY).strip()
    upstreams = {found[1]: found[0] for found in _UPSTREAM.finditer(made)}
    for name, component in {"credentials": "credentials", "verifiers": "verifier"}.items():
        servers = re.findall(r"^    server (.+);$", upstreams[name], re.MULTILINE)
        assert servers == [f"keyturn-{component}-pods.id.svc.cluster.local:8080 resolve max_fails=0"]
        service = of_kind(rendered("defaults"), "Service")[f"{component}-pods"]
        assert service["spec"]["clusterIP"] == "None"


def test_the_chart_takes_the_files_from_where_they_are_kept() -> None:
    for name, source in {
        "keyturn.conf": "nginx/keyturn.conf",
        "keyturn-rules.yaml": "prometheus/keyturn-rules.yaml",
        "dashboards": "grafana",
    }.items():
        assert (CHART / "files" / name).resolve() == REPOSITORY / "deploy" / source


async def test_nginx_serves_with_the_files_before_any_pod_is_ready(
    nginx: Path, processes: Processes, tmp_path: Path
) -> None:
    front, probes = find_free_ports(2)
    # Nobody answers there: the names of pods are not known.
    files = _files(resolver="127.0.0.1:9", trustedProxies=["10.42.0.0/16"])
    (tmp_path / "keyturn.conf").write_text(
        files["keyturn.conf"].replace("listen 8080", f"listen 127.0.0.1:{front}")
    )
    text = files["nginx.conf"].replace("/tmp/", f"{tmp_path}/").replace("/etc/keyturn/", f"{tmp_path}/")
    text = text.replace("listen 8081", f"listen 127.0.0.1:{probes}").replace("/dev/stderr", "stderr")
    await serve_configuration(nginx, processes, tmp_path, text, f"http://127.0.0.1:{probes}/live")
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"http://127.0.0.1:{probes}/live")).status_code == 204
        assert (await http.get(f"http://127.0.0.1:{front}/")).headers["location"].endswith("/console/")
        assert (await http.get(f"http://127.0.0.1:{front}/realms/acme")).status_code == 502
        assert (await http.get(f"http://127.0.0.1:{front}/live")).is_client_error


async def test_nginx_refuses_files_that_are_wrong(nginx: Path, tmp_path: Path) -> None:
    files = _files(resolver="not a resolver;")
    (tmp_path / "keyturn.conf").write_text(files["keyturn.conf"])
    text = files["nginx.conf"].replace("/tmp/", f"{tmp_path}/").replace("/etc/keyturn/", f"{tmp_path}/")
    (tmp_path / "nginx.conf").write_text(text)
    checked = await asyncio.to_thread(run, [*nginx_command(nginx, tmp_path), "-t"])
    assert checked.returncode != 0


def test_the_gateway_believes_the_proxies_in_front_of_it() -> None:
    assert "set_real_ip_from" not in _files()["nginx.conf"]
    text = _files(trustedProxies=["10.42.0.0/16"])["nginx.conf"]
    ready = (REPOSITORY / "deploy" / "nginx" / "behind-a-proxy.conf").read_text()
    lines = re.findall(r"^real_ip_.+;$", ready, re.MULTILINE)
    assert len(lines) == 2
    for line in (*lines, "set_real_ip_from 10.42.0.0/16;"):
        assert line in text


PATHS = {
    "/admin/realms": "credentials",
    "/console/": "credentials",
    "/console": "credentials",
    "/health/ready": "credentials",
    "/realms/master/protocol/openid-connect/token": "either",
    "/realms/master/.well-known/openid-configuration": "either",
    "/.well-known/openid-configuration/realms/master": "either",
    "/realms/acme/rotation": "credentials",
    "/realms/acme/rotation/delivered": "credentials",
    "/realms/acme/rotation/key": "credentials",
    "/realms/master/rotation": "credentials",
    "/realms/acme": "verifier",
    "/realms/rotation": "verifier",
    "/realms/acme/protocol/openid-connect/token": "verifier",
    "/realms/acme/protocol/openid-connect/token/introspect": "verifier",
    "/realms/acme/protocol/openid-connect/certs": "verifier",
    "/realms/acme/.well-known/openid-configuration": "verifier",
    "/realms/acme/verify": "verifier",
    "/realms/acme/forward-auth": "verifier",
    "/realms/acme/forward-auth/orders/1": "verifier",
    "/.well-known/openid-configuration/realms/acme": "verifier",
    "/metrics": None,
    "/health/live": None,
    "/administrator": None,
}


def _matches(path: str, match: dict[str, str]) -> bool:
    kind, value = match["type"], match["value"]
    if kind == "Exact":
        return path == value
    if kind == "PathPrefix":
        return path == value or path.startswith(f"{value}/")
    assert kind == "RegularExpression"
    return re.fullmatch(value, path) is not None


def _route() -> list[dict[str, Any]]:
    (route,) = of_kind(rendered("gateway-api"), "HTTPRoute").values()
    rules: list[dict[str, Any]] = route["spec"]["rules"]
    return [rule for rule in rules if "backendRefs" in rule]


@pytest.mark.parametrize(("path", "service"), PATHS.items())
def test_an_http_route_sends_a_path_to_its_service_in_any_order_of_its_rules(
    path: str, service: str | None
) -> None:
    """Implementations order expressions and prefixes in different ways. Both services answer the paths of
    administrators: nodes forward them."""
    found = {
        rule["backendRefs"][0]["name"].removeprefix("keyturn-")
        for rule in _route()
        if any(_matches(path, match["path"]) for match in rule["matches"])
    }
    if service == "either":
        assert "credentials" in found
    else:
        assert found == ({service} if service else set())


@pytest.mark.parametrize(("path", "service"), PATHS.items())
def test_the_ready_file_sends_these_paths_to_the_same_services(path: str, service: str | None) -> None:
    """Its locations in the order in which nginx asks: exact ones, expressions, then prefixes."""
    exact = re.findall(r"location = (\S+) \{\s+proxy_pass http://(\w+)", READY)
    expressions = re.findall(r"location ~ (\S+) \{\s+proxy_pass http://(\w+)", READY)
    prefixes = re.findall(r"location (/\S*) \{\s+proxy_pass http://(\w+)", READY)
    found = next(
        (
            upstream
            for upstream in (
                *(to for value, to in exact if value == path),
                *(to for value, to in expressions if re.search(value, path)),
                *(to for value, to in prefixes if path.startswith(value)),
            )
        ),
        None,
    )
    wanted = "credentials" if service == "either" else service
    assert (found or "").removesuffix("s") == (wanted or "").removesuffix("s")


def test_an_http_route_strips_what_callers_could_say_for_a_proxy() -> None:
    """All but what the gateway itself writes, and X-Real-IP, which keyturn does not read. Kubernetes allows
    one such filter for a rule, and sixteen names in it."""
    for rule in _route():
        (headers,) = [each for each in rule["filters"] if each["type"] == "RequestHeaderModifier"]
        removed = {name.lower() for name in headers["requestHeaderModifier"]["remove"]}
        assert len(removed) <= 16
        kept = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip"}
        assert removed == PROXY_HEADERS - kept


def test_an_ingress_and_a_route_lead_to_the_gateway() -> None:
    (ingress,) = of_kind(rendered("ingress"), "Ingress").values()
    (rule,) = ingress["spec"]["rules"]
    assert rule["host"] == "id.example.com"
    (path,) = rule["http"]["paths"]
    assert (path["path"], path["backend"]["service"]["name"]) == ("/", "keyturn-gateway")
    (route,) = of_kind(
        render(httpRoute={"enabled": True, "parentRefs": [{"name": "public"}]}), "HTTPRoute"
    ).values()
    (only,) = route["spec"]["rules"]
    assert only["backendRefs"] == [{"name": "keyturn-gateway", "port": 8080}]


def test_network_policies_let_only_the_gateway_to_the_processes() -> None:
    policies = of_kind(rendered("ingress"), "NetworkPolicy")
    assert policies.keys() == {"credentials", "verifier", "fetcher", "gateway"}
    senders = {
        name: [
            peer.get("podSelector", {}).get("matchLabels", {}).get("app.kubernetes.io/component")
            for peer in policy["spec"]["ingress"][0]["from"]
        ]
        for name, policy in policies.items()
    }
    assert senders["credentials"] == ["gateway", "verifier"]
    assert senders["verifier"] == ["gateway"]
    for policy in policies.values():
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_only_those_who_fetch_reach_the_world() -> None:
    def reaches_the_world(name: str, example: str) -> bool:
        rules = of_kind(rendered(example), "NetworkPolicy")[name]["spec"]["egress"]
        return any(
            peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0"
            for rule in rules
            for peer in rule.get("to", ())
        )

    assert reaches_the_world("fetcher", "defaults")
    assert not reaches_the_world("verifier", "defaults")
    assert reaches_the_world("verifier", "gateway-api")


def test_workers_get_the_cores_that_the_pod_asks_for() -> None:
    verifier = of_kind(rendered("sentinel"), "Deployment")["verifier"]
    assert environment(verifier)["KEYTURN_WORKERS"] == "4"


def test_traces_may_leave_only_for_the_collectors_port() -> None:
    for ports in ([], [4318]):
        traces = {"to": [{"namespaceSelector": {}}], "ports": ports}
        policies = of_kind(render(networkPolicy={"traces": traces}), "NetworkPolicy")
        for component in ("credentials", "verifier"):
            egress = policies[component]["spec"]["egress"]
            rules = [rule for rule in egress if rule.get("to") == traces["to"]]
            assert [rule["ports"] for rule in rules] == [[{"port": 4318, "protocol": "TCP"}]] * len(ports)


def test_every_process_gets_the_variables_of_traces() -> None:
    settings = {"KEYTURN_TRACING": True, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}
    deployments = of_kind(render(settings=settings), "Deployment")
    for component in ("credentials", "verifier"):
        found = environment(deployments[component])
        assert {name: found[name] for name in settings} == {
            "KEYTURN_TRACING": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
        }
