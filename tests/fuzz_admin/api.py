"""schemathesis on the served description: every operation, valid and invalid calls."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fuzz_admin.service import REALM, Service, make_realm

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
SCOPE = "a-scope"
MAPPER = "a-mapper"
ROLE = "a-role"
NOTHING = "nothing"
"""In place of the name of something that is not made here."""
ALIAS = "an-issuer"
# The response does not end.
_LEFT_OUT = {"GET /admin/realms/{realm}/fleet/stream"}
# Nothing here may leave the machine.
_URLS = ["https://127.0.0.1/jwks", "https://[::1]:1/", "http://169.254.169.254/", "ftp://127.0.0.1/", "", "x"]
_TIMEOUT_SECONDS = 30.0
_CLIENTS: dict[str, dict[str, Any]] = {
    # With a former secret, once it gets a new one.
    "orders": {
        "attributes": {
            "keyturn.secret.expiration-period": "86400",
            "keyturn.secret.rotated-expiration-period": "3600",
        }
    },
    "keys": {"clientAuthenticatorType": "client-jwt"},
}


@dataclass
class Report:
    """Calls by operation and status."""

    statuses: dict[str, Counter[int]] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        return sum(counter.total() for counter in self.statuses.values())


def run(service: Service, *, examples: int, number: int) -> Report:
    """Make ``examples`` valid and as many invalid calls of each operation. Raises at the first server error,
    or undescribed status, media type or content."""
    schema = schemathesis.openapi.from_url(f"{service.url}/admin/openapi.json")
    report = Report()
    with service.client() as client, requests.Session() as session:
        session.headers.update(service.headers)
        for result in schema.get_all_operations():
            assert isinstance(result, Ok), result
            operation = result.ok()
            if operation.label in _LEFT_OUT:
                continue
            counter = report.statuses.setdefault(operation.label, Counter())
            caller = _Caller(service.url, client, session, counter, _make_anew(client))
            for mode in MODES:
                _try(operation.as_strategy(generation_mode=mode), caller, examples=examples, number=number)
    return report


@dataclass
class _Caller:
    """Sends the calls of one operation. ``ids``: of the existing clients."""

    url: str
    client: httpx.Client
    session: requests.Session
    counter: Counter[int]
    ids: dict[str, str]

    def send(self, case: Case[Any], data: st.DataObject) -> None:
        if case.method == "DELETE":
            self.ids = _make_anew(self.client)
        _aim(case, self.ids, data)
        response = case.call_and_validate(
            base_url=self.url, session=self.session, checks=CHECKS, timeout=_TIMEOUT_SECONDS
        )
        self.counter[response.status_code] += 1


def _try(cases: st.SearchStrategy[Case[Any]], caller: _Caller, *, examples: int, number: int) -> None:
    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases, st.data())
    def call(case: Case[Any], data: st.DataObject) -> None:
        caller.send(case, data)

    call()


def _make_anew(client: httpx.Client) -> dict[str, str]:
    ids = make_realm(client, **_CLIENTS)
    client.post(f"/admin/realms/{REALM}/clients/{ids['orders']}/client-secret").raise_for_status()
    mapper = {"id": MAPPER, "name": MAPPER, "protocolMapper": "oidc-hardcoded-claim-mapper"}
    scope = {"id": SCOPE, "name": SCOPE, "protocolMappers": [mapper]}
    client.post(f"/admin/realms/{REALM}/client-scopes", json=scope).raise_for_status()
    client.post(f"/admin/realms/{REALM}/roles", json={"name": ROLE}).raise_for_status()
    issuer = {"alias": ALIAS, "providerId": "kubernetes", "config": {}}
    path = f"/admin/realms/{REALM}/identity-provider/instances"
    client.post(path, json=issuer).raise_for_status()
    return ids


def _aim(case: Case[Any], ids: dict[str, str], data: st.DataObject) -> None:
    """Make most calls hit something that exists, and keep expensive ones cheap."""
    there = {
        "realm": [REALM],
        "uuid": list(ids.values()),
        "thumbprint": [THUMBPRINT],
        "attr": ["jwt.credential"],
        "provider": ["keycloak-oidc-keycloak-json"],
        "scope": [SCOPE],
        "mapper": [MAPPER],
        "protocol": ["openid-connect"],
        "role": [ROLE],
        "client": list(ids.values()),
        "alias": [ALIAS],
    }
    for name in case.path_parameters:
        # Without a name it would be another path.
        if data.draw(st.integers(0, 9)) < 8 or case.path_parameters[name] == "":
            case.path_parameters[name] = data.draw(st.sampled_from(there.get(name, [NOTHING])))
    if case.path.endswith("/generate") and not isinstance(case.query.get("keyType"), list):
        case.query["keyType"] = data.draw(
            st.sampled_from(["P-256", "Ed25519", case.query.get("keyType", "x")])
        )
    if case.path.endswith("/generate-and-download") and isinstance(case.body, dict):
        for name, value in (("keyType", "P-256"), ("storePassword", "secret"), ("keyPassword", "secret")):
            case.body.setdefault(name, value)
    if isinstance(case.body, dict) and isinstance(case.body.get("url"), str):
        case.body["url"] = data.draw(st.sampled_from(_URLS))
    if "wait" in case.query:
        case.query["wait"] = data.draw(st.sampled_from([0, "x", -1]))
