"""One change is one trace: from the call to every node."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.integration.tracing.scene import CALLERS_SPAN, NODES, Change, make_change, traced_stack
from tests.testkit.local_stack import Admin, RunningStack, ask_token, eventually
from tests.testkit.otlp import Collector


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as started:
        yield started


@pytest.fixture(scope="module")
def stack(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with traced_stack(tmp_path_factory.mktemp("traces") / "data", collector).start() as started:
        yield started


@pytest.fixture(scope="module")
def change(stack: RunningStack, collector: Collector) -> Change:
    return make_change(stack, collector)


def test_a_change_is_one_trace_from_the_call_to_every_node(change: Change) -> None:
    (call,) = (span for span in change.spans if span.kind == "SERVER")
    (transaction,), (publication,) = change.named("transaction"), change.named("publish")
    (wait,), applications = change.named("wait for the fleet"), change.named("apply")
    assert len(change.spans) == 4 + NODES
    assert call.parent == CALLERS_SPAN
    assert (transaction.parent, wait.parent) == (call.id, call.id)
    assert publication.parent == transaction.id
    assert [span.parent for span in applications] == [publication.id] * NODES
    assert len({span.instance for span in applications}) == NODES
    assert {span.service for span in applications} == {"keyturn-verifier"}
    assert {span.service for span in (call, transaction, publication, wait)} == {"keyturn-credentials"}


def test_the_spans_say_what_happened(change: Change) -> None:
    (call,) = (span for span in change.spans if span.kind == "SERVER")
    route = "/admin/realms/{realm}/clients/{uuid}/client-secret"
    assert call.name == f"POST {route}"
    assert call.attributes["http.response.status_code"] == 200
    assert call.attributes["keyturn.realm"] == "acme"
    (wait,) = change.named("wait for the fleet")
    answer = {name: value for name, value in wait.attributes.items() if name.startswith("keyturn.fleet.")}
    assert answer["keyturn.fleet.outcome"] == "applied"
    assert (answer["keyturn.fleet.nodes"], answer["keyturn.fleet.pending"]) == (NODES, 0)
    (transaction,), (publication,) = change.named("transaction"), change.named("publish")
    assert transaction.attributes["keyturn.event.type"] == "client_secret_rotated"
    followed = [publication, wait, *change.named("apply")]
    assert {span.attributes["keyturn.sequence"] for span in followed} == {
        transaction.attributes["keyturn.sequence"]
    }
    assert not any(span.failed for span in change.spans)
    assert call.begun <= transaction.begun <= transaction.ended <= publication.ended <= wait.ended


def test_no_secret_and_no_token_is_exported(
    stack: RunningStack, change: Change, collector: Collector
) -> None:
    token = ask_token(stack.base_url, "acme", "billing", change.secret).json()["access_token"]
    admin = stack.local["admin"]
    keys = (stack.data / "secrets.env").read_text().splitlines()[1:]
    secrets = [change.secret, change.former, token, admin["client_secret"]]
    secrets += [part for line in keys for part in line.partition("=")[2].split(",") if len(part) > 16]
    assert len(secrets) > 6
    exported = b"".join(collector.bodies)
    assert b"client_secret_rotated" in exported
    assert [secret for secret in secrets if secret.encode() in exported] == []


def test_nobody_but_an_administrator_can_continue_a_trace(stack: RunningStack, collector: Collector) -> None:
    foreign = "0af7651916cd43dd8448eb211c80319c"
    traceparent = {"traceparent": f"00-{foreign}-b7ad6b7169203331-01"}
    with httpx.Client(base_url=stack.base_url, headers=traceparent, trust_env=False, timeout=30) as http:
        assert http.get("/admin/realms").status_code == 401
        invalid = {"Authorization": "Bearer none"}
        assert http.delete("/admin/realms/acme", headers=invalid).status_code == 401
        credentials = ("billing", "wrong")
        form = {"grant_type": "client_credentials"}
        http.post("/realms/acme/protocol/openid-connect/token", data=form, auth=credentials)
    assert foreign not in {span.trace for span in collector.spans()}


def test_requests_to_nodes_have_no_spans(change: Change, collector: Collector, stack: RunningStack) -> None:
    ask_token(stack.node_urls[0], "acme", "billing", change.secret)
    names = {span.name for span in collector.spans() if span.service == "keyturn-verifier"}
    assert names == {"apply"}


def test_the_wait_has_an_exemplar_for_who_accepts_openmetrics(stack: RunningStack, change: Change) -> None:
    url = f"{stack.credentials_url}/metrics"
    accept = {"Accept": "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;q=0.5"}
    page = httpx.get(url, headers=accept, trust_env=False)
    assert page.headers["content-type"].startswith("application/openmetrics-text")
    assert re.search(
        r'keyturn_fleet_wait_seconds_bucket\{.*\} [\d.]+ # \{trace_id="[0-9a-f]{32}"\}', page.text
    )
    assert page.text.endswith("# EOF\n")
    plain = httpx.get(url, headers={"Accept": "text/plain"}, trust_env=False)
    assert plain.headers["content-type"].startswith("text/plain")
    assert 'keyturn_trace_spans_total{outcome="exported"}' in plain.text
    assert "trace_id" not in plain.text


def test_a_collector_that_does_not_answer_holds_no_call_up_and_is_seen(
    stack: RunningStack, change: Change, collector: Collector
) -> None:
    """Not before all others: what it has not taken is lost."""

    def failed() -> float:
        page = httpx.get(f"{stack.credentials_url}/metrics", trust_env=False).text
        (count,) = re.findall(r'^keyturn_trace_spans_total\{outcome="failed"\} (\S+)$', page, re.MULTILINE)
        return float(count)

    admin = Admin(stack, "acme")
    collector.receiver.stalled = True
    answer = admin.call("POST", f"/clients/{change.client_uuid}/client-secret")
    assert answer.headers["Preference-Applied"] == "wait"
    eventually(failed)
    collector.receiver.stalled = False
    admin.call("POST", f"/clients/{change.client_uuid}/client-secret")
    exported = len(collector.spans())
    eventually(lambda: len(collector.spans()) > exported)
    log = stack.data / "logs" / "credentials.log"
    eventually(lambda: "traces_exported_again" in log.read_text())
