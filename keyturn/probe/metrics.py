"""The prober's metrics. No label has more values than the code names."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from keyturn.probe.judgement import CheckName, Result, Round, Verdict

_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
"""Upper bounds of the buckets, in seconds."""
_UNKNOWN: Final = float("nan")


class ProbeMetrics:
    """Metrics of all rounds of a process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._held = Gauge(
            "keyturn_probe_promise_held",
            "1 if the newest round with a verdict held, 0 if a node accepted what was ended, NaN before",
            registry=registry,
        )
        self._held.set(_UNKNOWN)
        self._last_held = Gauge(
            "keyturn_probe_last_held_timestamp_seconds",
            "Time of the newest round that held, 0 before the first",
            registry=registry,
        )
        self._rounds = Counter(
            "keyturn_probe_rounds", "Rounds of the prober, by result", ["result"], registry=registry
        )
        self._broken = Counter(
            "keyturn_probe_broken",
            "Nodes that accepted what a confirmed call had ended, by check",
            ["check"],
            registry=registry,
        )
        self._call_seconds = Histogram(
            "keyturn_probe_call_seconds",
            "Time from the start of a call that ends something to its return, by check",
            ["check"],
            buckets=_BOUNDS,
            registry=registry,
        )
        self._effect_seconds = Histogram(
            "keyturn_probe_effect_seconds",
            "Time from the start of such a call until the last node was seen to refuse, by check",
            ["check"],
            buckets=_BOUNDS,
            registry=registry,
        )
        self._nodes = Gauge(
            "keyturn_probe_nodes",
            "Nodes in the newest round: reached, unreached, and those that the fleet has",
            ["state"],
            registry=registry,
        )
        self._create_series()

    def note(self, seen: Round, verdict: Verdict, now: float) -> None:
        """Count a round that ended ``now`` (NumericDate)."""
        self._rounds.labels(verdict.result.value).inc()
        if verdict.result in (Result.HELD, Result.BROKEN):
            self._held.set(float(verdict.result is Result.HELD))
        if verdict.result is Result.HELD:
            self._last_held.set(now)
        for finding in verdict.findings:
            if finding.result is Result.BROKEN and finding.check is not None:
                self._broken.labels(finding.check.value).inc()
        for check in seen.checks:
            if check.is_confirmed:
                self._call_seconds.labels(check.name.value).observe(check.call_seconds)
            if check.effect_seconds is not None:
                self._effect_seconds.labels(check.name.value).observe(check.effect_seconds)
        self._nodes.labels("reached").set(len(verdict.reached))
        self._nodes.labels("unreached").set(len(verdict.unreached))
        self._nodes.labels("fleet").set(_UNKNOWN if seen.fleet_nodes is None else seen.fleet_nodes)

    def _create_series(self) -> None:
        """Create every series: an increase is only seen in one that was there before."""
        for result in Result:
            self._rounds.labels(result.value)
        for check in CheckName:
            self._broken.labels(check.value)
            self._call_seconds.labels(check.value)
            self._effect_seconds.labels(check.value)
        for state in ("reached", "unreached", "fleet"):
            self._nodes.labels(state).set(_UNKNOWN)
