"""The charts of docs/performance.md, made of results."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.chart import Axis, Bar, Group, Line, bars, lines
from benchmarks.report.wording import number
from benchmarks.results import Figure, Results

COLOURS: Final = {
    "keyturn": "#0b6bcb",
    "oidc-provider": "#c77700",
    "uvicorn": "#8a8f98",
    "node:http": "#bcc2c9",
}
_SHOWN: Final = {
    "oidc-provider": "node-oidc-provider",
    "uvicorn": "uvicorn, constant answer",
    "node:http": "node:http, constant answer",
}
_ENDPOINTS: Final = (
    ("token_endpoint", "client_secret_basic", "token by secret"),
    ("token_endpoint", "private_key_jwt", "token by private_key_jwt"),
    ("verification", "introspect-seen", "introspection, seen before"),
    ("verification", "introspect-new", "introspection, never seen"),
    ("verification", "forward-auth-seen", "forward-auth, seen before"),
    ("verification", "forward-auth-new", "forward-auth, never seen"),
)

ByName = Mapping[str, Results]


def rates(found: ByName) -> str:
    groups = _groups(found, lambda figure: figure.value, lambda figure: f"{number(figure.value)}/s")
    note = _note(found["verification"], "more is better")
    return bars("Answers per second of one core", note, groups, Axis("answers per second"))


def latencies(found: ByName) -> str:
    def label(figure: Figure) -> str:
        return f"{number(figure.p99 or 0)} ms"

    groups = _groups(found, lambda figure: figure.p99, label)
    note = _note(found["verification"], "32 connections that each wait for their answers; less is better")
    return bars("Latency (p99) at the highest rate", note, groups, Axis("p99 in ms"))


def offered_tokens(found: ByName) -> str:
    return _offered(found["offered_load"], "token by secret", "A token by secret")


def offered_introspection(found: ByName) -> str:
    return _offered(found["offered_load"], "introspect-seen", "Introspection, seen before")


def clients(found: ByName) -> str:
    results = found["clients"]
    series = []
    for kind, colour in (("token by secret", "#0b6bcb"), ("introspection", "#7a3fc4")):
        for way, dashed in (("the same hundred clients", False), ("clients that ask once", True)):
            points = tuple(
                (each.at, each.value)
                for each in results.figures
                if (each.name, each.of) == (kind, way) and each.at is not None
            )
            series.append(Line(f"{kind}{', asks once' if dashed else ''}", colour, points, dashed=dashed))
    positions = tuple(sorted({point[0] for line in series for point in line.points}))
    return lines(
        "Cost of a request against the number of clients",
        _note(
            results,
            "solid: the same hundred clients; dashed: clients that ask once, read from Redis",
        ),
        series,
        Axis("clients in Redis", logarithmic=True, ticks=positions),
        Axis("processor time of the node for a request, in µs"),
    )


def nodes(found: ByName) -> str:
    results = found["propagation"]
    names = (("to the last node applied", "#0b6bcb"), ("to the end of the wait", "#1a7f37"))
    series = []
    for name, colour in names:
        of_name = [each for each in results.figures if each.name == name and each.at is not None]
        for what, dashed in (("p99", False), ("median", True)):
            points = tuple(
                (each.at or 0, each.value if what == "median" else each.p99 or 0) for each in of_name
            )
            series.append(Line(f"{name.removeprefix('to the ')}, {what}", colour, points, dashed=dashed))
    positions = tuple(sorted({point[0] for line in series for point in line.points}))
    return lines(
        "Time until a change has reached every node",
        _note(results, "from the commit of the change"),
        series,
        Axis("nodes", ticks=positions),
        Axis("ms"),
    )


def node_costs(found: ByName) -> str:
    results = found["propagation"]
    points = tuple(
        (each.at, each.value)
        for each in results.figures
        if each.name == "processor time of a node" and each.at is not None
    )
    return lines(
        "Cost of a change against the number of nodes",
        _note(results, "each node reads, verifies, applies and reports the event"),
        [Line("one node", COLOURS["keyturn"], points)],
        Axis("nodes", ticks=tuple(sorted(at for at, _ in points))),
        Axis("processor time of a node for an event, in µs"),
    )


def _offered(results: Results, kind: str, title: str) -> str:
    series = []
    for name in ("keyturn", "oidc-provider"):
        points = [each for each in results.figures if (each.name, each.of) == (kind, name)]
        for what, dashed in (("p99", False), ("p50", True)):
            values = tuple(
                (each.at or 0.0, value)
                for each in points
                if (value := each.p50 if what == "p50" else each.p99) is not None
            )
            series.append(Line(f"{_SHOWN.get(name, name)}, {what}", COLOURS[name], values, dashed=dashed))
    return lines(
        f"{title}: latency against the load that is offered",
        _note(results, "requests do not wait for answers; latency counts from when a request is due"),
        series,
        Axis("requests offered per second"),
        Axis("latency in ms", logarithmic=True),
    )


def _groups(
    found: ByName, value: Callable[[Figure], float | None], label: Callable[[Figure], str]
) -> Sequence[Group]:
    groups = []
    for benchmark, kind, shown in _ENDPOINTS:
        figures = [found[benchmark].of(kind, name) for name in COLOURS]
        drawn = tuple(
            Bar(_SHOWN.get(each.of, each.of), COLOURS[each.of], value(each) or 0.0, label(each))
            for each in figures
            if each is not None and value(each) is not None
        )
        groups.append(Group(shown, drawn))
    return groups


def _note(results: Results, text: str) -> str:
    by = results.provenance
    return f"{text}; {by.processor}, {by.date[:10]}, commit {by.commit}"


@dataclass(frozen=True)
class Chart:
    """``needs``: names of its results, the first of which names the part of the page that shows it. ``text``:
    for readers who do not see it."""

    draw: Callable[[ByName], str]
    needs: tuple[str, ...]
    text: str


CHARTS: Final[Mapping[str, Chart]] = {
    "bench-rates.png": Chart(
        rates, ("verification", "token_endpoint"), "Answers per second by endpoint, beside others"
    ),
    "bench-latencies.png": Chart(
        latencies, ("verification", "token_endpoint"), "p99 at the highest rate by endpoint, beside others"
    ),
    "bench-offered-tokens.png": Chart(
        offered_tokens, ("offered_load",), "Latency of token requests against the offered load"
    ),
    "bench-offered-introspection.png": Chart(
        offered_introspection, ("offered_load",), "Latency of introspection against the offered load"
    ),
    "bench-clients.png": Chart(
        clients, ("clients",), "Processor time of a request against the number of clients"
    ),
    "bench-nodes.png": Chart(nodes, ("propagation",), "Time of a change against the number of nodes"),
    "bench-node-costs.png": Chart(
        node_costs, ("propagation",), "Processor time of a node for an event against the number of nodes"
    ),
}
