"""Cases of the alerts about requests, key sets, upkeep and workers."""

from typing import Final

from tests.integration.monitoring.alert_cases import Case


def _requests(job: str, endpoint: str, status: str) -> str:
    return f'keyturn_requests_total{{job="{job}", instance="a", endpoint="{endpoint}", status="{status}"}}'


def _bucket(bound: str) -> str:
    labels = f'job="keyturn-verifier", instance="a", endpoint="token", le="{bound}"'
    return f"keyturn_request_seconds_bucket{{{labels}}}"


_A: Final = '{instance="a"}'
_SHED: Final = 'keyturn_requests_shed_total{job="keyturn-credentials", instance="a", lane="clients"}'

CASES: Final = (
    Case(
        "KeyturnAdminErrors",
        "15m",
        {
            _requests("keyturn-credentials", "admin_change", "503"): "0+1x100",
            _requests("keyturn-credentials", "admin_change", "200"): "0+1x100",
            _requests("keyturn-credentials", "admin_read", "200"): "0+1x100",
        },
        {
            _requests("keyturn-credentials", "admin_change", "503"): "0+1x100",
            _requests("keyturn-credentials", "admin_change", "200"): "0+99x100",
        },
        "50% of admin_change requests to the credentials service fail.",
        {"endpoint": "admin_change"},
    ),
    Case(
        "KeyturnOverloaded",
        "15m",
        {_SHED: "0+10x100"},
        {_SHED: "10x100"},
        "a turned 300 requests of clients away in 5 minutes.",
        {"instance": "a", "lane": "clients"},
    ),
    Case(
        "KeyturnRequestFailed",
        "5m",
        {_requests("keyturn-verifier", "token", "500"): "0x20 1x60"},
        {_requests("keyturn-verifier", "token", "500"): "1x60"},
        "Requests to token of a fail unexpectedly.",
        {"endpoint": "token", "instance": "a"},
    ),
    Case(
        "KeyturnUnavailable",
        "10m",
        {
            _requests("keyturn-verifier", "token", "503"): "0+1x100",
            _requests("keyturn-verifier", "token", "200"): "0+3x100",
        },
        {
            _requests("keyturn-verifier", "token", "503"): "0+1x100",
            _requests("keyturn-verifier", "token", "200"): "0+99x100",
        },
        "25% of token requests to the nodes get 503.",
        {"endpoint": "token"},
    ),
    Case(
        "KeyturnSlow",
        "20m",
        {_bucket("0.5"): "0x200", _bucket("1.0"): "0+100x200", _bucket("+Inf"): "0+100x200"},
        {_bucket("0.5"): "0+100x200", _bucket("1.0"): "0+100x200", _bucket("+Inf"): "0+100x200"},
        "token takes 995ms (99th percentile).",
        {"endpoint": "token", "job": "keyturn-verifier"},
    ),
    Case(
        "KeyturnAuthenticationsRefused",
        "20m",
        {
            'keyturn_authentications_total{method="private_key_jwt", outcome="accepted"}': "0+25x200",
            'keyturn_authentications_total{method="private_key_jwt", outcome="unknown_kid"}': "0+75x200",
        },
        # Half as many requests as it takes.
        {
            'keyturn_authentications_total{method="private_key_jwt", outcome="accepted"}': "0+1x200",
            'keyturn_authentications_total{method="private_key_jwt", outcome="unknown_kid"}': "0+4x200",
        },
        "75% of client authentications are refused.",
    ),
    Case(
        "KeyturnCallersThrottled",
        "18m",
        {'keyturn_throttled_requests_total{scope="client"}': "0+1x200"},
        {'keyturn_throttled_requests_total{scope="client"}': "0x50 3x200"},
        "Callers are refused because they failed too often (limit by client).",
        {"scope": "client"},
    ),
    Case(
        "KeyturnProxyChainWrong",
        "18m",
        {'keyturn_proxy_chain_faults_total{instance="a", fault="no_address"}': "0+1x200"},
        {'keyturn_proxy_chain_faults_total{instance="a", fault="no_address"}': "0x50 1x200"},
        "Requests at a do not fit KEYTURN_TRUSTED_PROXIES (no_address).",
        {"instance": "a", "fault": "no_address"},
    ),
    Case(
        "KeyturnKeySetsOverdue",
        "10m",
        {'keyturn_key_sets_overdue_seconds{queue="due"}': "90x100"},
        {
            'keyturn_key_sets_overdue_seconds{queue="due"}': "5x100",
            'keyturn_key_sets_overdue_seconds{queue="retries"}': "90x100",
        },
        "JWKS URLs are polled 1m 30s late.",
    ),
    Case(
        "KeyturnKeySetsFailing",
        "20m",
        {
            'keyturn_key_sets_queued{queue="retries"}': "20x200",
            'keyturn_key_sets_queued{queue="due"}': "80x200",
        },
        # One of three is no outage.
        {
            'keyturn_key_sets_queued{queue="retries"}': "1x200",
            'keyturn_key_sets_queued{queue="due"}': "2x200",
        },
        "20% of JWKS URLs cannot be fetched.",
    ),
    Case(
        "KeyturnKeysUnavailable",
        "18m",
        {'keyturn_key_set_demands_total{outcome="keys_unavailable"}': "0+1x200"},
        {'keyturn_key_set_demands_total{outcome="unknown_kid"}': "0+1x200"},
        "Clients are refused because their key sets cannot be fetched.",
    ),
    Case(
        "KeyturnKeySetWaiters",
        "5m",
        {'keyturn_key_set_waiting{instance="a"}': "900x60"},
        {'keyturn_key_set_waiting{instance="a"}': "700x60"},
        "900 requests at a wait for key sets; above 1,024, further ones are refused.",
        {"instance": "a"},
    ),
    Case(
        "KeyturnInnerAddressesProbed",
        "30m",
        {'keyturn_key_set_fetches_total{outcome="address_not_allowed"}': "0+1x200"},
        {'keyturn_key_set_fetches_total{outcome="timeout"}': "0+1x200"},
        "JWKS URLs lead to addresses that are not allowed.",
    ),
    Case(
        "KeyturnKeySetLoopFailing",
        "18m",
        {'keyturn_key_set_loop_failures_total{instance="a", loop="due"}': "0+1x200"},
        {'keyturn_key_set_loop_failures_total{instance="a", loop="due"}': "0x50 1x200"},
        "Loop due of a fails: key sets may be late.",
        {"instance": "a", "loop": "due"},
    ),
    Case(
        "KeyturnRotationsOverdue",
        "20m",
        {
            'keyturn_rotations_alerting{instance="a"}': "2x200",
            'keyturn_rotations_alerting{instance="b"}': "2x200",
        },
        {'keyturn_rotations_alerting{instance="a"}': "0x200"},
        "2 clients use a former secret after the deadline of its rotation.",
    ),
    Case(
        "KeyturnRotationsFailed",
        "20m",
        {'keyturn_rotations_failed_total{instance="a", reason="keys_moved"}': "0x20 1x200"},
        {'keyturn_rotations_failed_total{instance="a", reason="keys_moved"}': "1x200"},
        "Rotations could not go on (keys_moved).",
        {"reason": "keys_moved"},
    ),
    Case(
        "KeyturnNoticesUndelivered",
        "20m",
        {
            'keyturn_notice_delivery_age_seconds{instance="a"}': "0x20 4000x200",
            'keyturn_notice_delivery_age_seconds{instance="b"}': "0x20 3900x200",
        },
        {'keyturn_notice_delivery_age_seconds{instance="a"}': "3600x200"},
        "Webhooks about notices have not been delivered for 1h 6m 40s.",
    ),
    Case(
        "KeyturnNoticesGivenUp",
        "20m",
        {'keyturn_notice_deliveries_total{instance="a", result="given_up"}': "0x20 1x200"},
        {'keyturn_notice_deliveries_total{instance="a", result="failed"}': "0+1x200"},
        "Webhooks about notices were given up.",
    ),
    Case(
        "KeyturnUpkeepStopped",
        "30m",
        {'keyturn_upkeep_rounds_total{instance="a"}': "0+1x20 20x200"},
        {'keyturn_upkeep_rounds_total{instance="a"}': "0+1x200"},
        "a does no upkeep: realm keys are not rotated, and old log entries stay.",
        {"instance": "a"},
    ),
    Case(
        "KeyturnLogKeysDerived",
        "2h",
        {'keyturn_log_keys_derived{instance="a"}': "1x800"},
        {'keyturn_log_keys_derived{instance="a"}': "0x800"},
        "a signs the log with keys that every holder of the fleet keys can derive.",
        {"instance": "a"},
    ),
    Case(
        "KeyturnAuditBroken",
        "5m",
        {f"keyturn_audit_chain_broken{_A}": "0x5 1x60"},
        {f"keyturn_audit_chain_broken{_A}": "0x60"},
        "a found that the audit log is not what was signed.",
        {"instance": "a"},
    ),
    Case(
        "KeyturnAuditCutOff",
        "10m",
        {f"keyturn_audit_chain_number{_A}": "50x20 40x60"},
        {f"keyturn_audit_chain_number{_A}": "50x20 0x2 50x60"},
        "The audit log ends at 40, and was longer within the last day.",
    ),
    Case(
        "KeyturnAuditSuspect",
        "5m",
        {'keyturn_audit_entries_chained_total{instance="a", standing="altered"}': "0x10 1x60"},
        {
            'keyturn_audit_entries_chained_total{instance="a", standing="vouched"}': "0+10x60",
            'keyturn_audit_entries_chained_total{instance="a", standing="altered"}': "1x60",
        },
        "The audit log got entries that the service did not write like this (altered).",
        {"standing": "altered"},
    ),
    Case(
        "KeyturnAuditWaiting",
        "15m",
        {f"keyturn_audit_unchained_seconds{_A}": "900x100"},
        {
            f"keyturn_audit_unchained_seconds{_A}": "900x100",
            'keyturn_audit_unchained_seconds{instance="b"}': "1x100",
        },
        "Audit entries have waited for 15m 0s to be added to the chain.",
    ),
    Case(
        "KeyturnWorkerNotReady",
        "5m",
        {'keyturn_worker_ready{instance="a", worker="1"}': "0x60"},
        {'keyturn_worker_ready{instance="a", worker="1"}': "1x5 0x3 1x60"},
        "Worker 1 of a does not answer.",
        {"instance": "a", "worker": "1"},
    ),
    Case(
        "KeyturnWorkersRestart",
        "15m",
        {'keyturn_worker_restarts_total{instance="a", worker="1"}': "0x20 3x100"},
        {'keyturn_worker_restarts_total{instance="a", worker="1"}': "0x20 1x100"},
        "Worker 1 of a ends again and again.",
        {"instance": "a", "worker": "1"},
    ),
    Case(
        "KeyturnWorkerPageMissing",
        "15m",
        {'keyturn_worker_pages_missing{instance="a"}': "1x100"},
        {'keyturn_worker_pages_missing{instance="a"}': "0x10 1x6 0x100"},
        "1 workers of a are not on its page of metrics.",
        {"instance": "a"},
    ),
    Case(
        "KeyturnPromiseBroken",
        "5m",
        {'keyturn_probe_broken_total{instance="a", check="tokens"}': "0x20 1x60"},
        {'keyturn_probe_broken_total{instance="a", check="tokens"}': "1x60"},
        "A node accepted what a confirmed call had ended (tokens), as a saw.",
        {"instance": "a", "check": "tokens"},
    ),
    Case(
        "KeyturnPromiseUnproven",
        "15m",
        {'keyturn_probe_last_held_timestamp_seconds{instance="a"}': "200x200"},
        {'keyturn_probe_last_held_timestamp_seconds{instance="a"}': "0+10x200"},
        "a could not show for more than five minutes that revocations hold.",
        {"instance": "a"},
    ),
)
