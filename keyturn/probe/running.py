"""A prober put together from the command's options."""

import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Final

import httpx
from prometheus_client import CollectorRegistry

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.profiles import absolute
from keyturn.admin_cli.rendering import Output
from keyturn.admin_cli.servers import check_server
from keyturn.probe.access import SignIn, canary_realm, opened_api, require_renewable
from keyturn.probe.canary import Canary
from keyturn.probe.judgement import Round, Verdict
from keyturn.probe.loop import LONGEST_PAUSE, run_for_ever, run_once, stopped_by_signals
from keyturn.probe.metrics import ProbeMetrics
from keyturn.probe.monitoring import Health, MonitoringPages, parse_address, serve
from keyturn.probe.node_requests import NodeRequests
from keyturn.probe.reporting import report
from keyturn.probe.rounds import Prober

_LONGEST_ROUND: Final = 600.0
"""Seconds that a round may take: a dozen calls, each with its own time limit."""


@dataclass(frozen=True, slots=True)
class Options:
    """``nodes``: base URLs. ``interval``: seconds. ``wait``: seconds that each call waits for the fleet."""

    sign_in: SignIn
    nodes: tuple[str, ...]
    realm: str | None
    canary: str
    once: bool
    interval: int
    wait: int
    metrics_address: str | None
    as_json: bool


def run(options: Options) -> int:
    """Run one round or all, and return the exit code. Raises CommandError if an option cannot work."""
    sign_in = options.sign_in
    profile, store = sign_in.resolve(options.realm)
    realm = canary_realm(profile, options.realm)
    if not options.once:
        require_renewable(profile)
    urls = _urls(options.nodes, insecure_http=sign_in.insecure_http or profile.insecure_http)
    with ExitStack() as stack:
        api = stack.enter_context(opened_api(profile, store, sign_in.headers))
        requests = NodeRequests(realm, absolute(sign_in.ca_file) or profile.ca_file, sign_in.headers)
        stack.callback(requests.close)
        prober = Prober(Canary(api, realm, options.canary, wait=options.wait), requests, urls)
        stack.callback(prober.close)
        note = _Notes(options)
        if options.once:
            return run_once(prober, note)
        with stopped_by_signals():
            run_for_ever(prober, note, interval=float(options.interval))
    return int(ExitCode.DONE)


class _Notes:
    """Reports rounds, and counts them."""

    def __init__(self, options: Options) -> None:
        registry = CollectorRegistry()
        self._out = Output(options.as_json, sys.stdout)
        self._metrics = ProbeMetrics(registry)
        self._health = Health(_LONGEST_ROUND + max(float(options.interval), LONGEST_PAUSE))
        if options.metrics_address is not None:
            serve(parse_address(options.metrics_address), MonitoringPages(registry, self._health))

    def __call__(self, seen: Round, verdict: Verdict, now: float) -> None:
        self._metrics.note(seen, verdict, now)
        self._health.completed(verdict.result.value)
        with suppress(OSError):  # a full disk or a closed pipe must not end the prober
            report(self._out, seen, verdict, now)


def _urls(nodes: tuple[str, ...], *, insecure_http: bool) -> list[httpx.URL]:
    if not nodes:
        raise CommandError("name the nodes with --node URL", ExitCode.USAGE)
    return [check_server(node, insecure_http=insecure_http) for node in nodes]
