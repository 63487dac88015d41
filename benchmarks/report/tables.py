"""The tables of docs/performance.md, made of results."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from benchmarks.report.wording import NOTHING, compared, measured, number, origin, quantity, table, times
from benchmarks.results import Results

ENDPOINTS: Final = {
    "introspect-seen": "introspection, seen before",
    "introspect-new": "introspection, never seen",
    "forward-auth-seen": "forward-auth, seen before",
    "forward-auth-new": "forward-auth, never seen",
    "verify-new": "tokens of `/verify`, never seen, 100 in a request",
}
METHODS: Final = {
    "client_secret_basic": "client_secret_basic → ES256 access token",
    "private_key_jwt": "private_key_jwt (ES256) → ES256 access token",
}


def beside(
    results: Results, rows: Mapping[str, str], mine: str, others: Mapping[str, str], *, corner: str = ""
) -> str:
    """Return a table with a row for each kind of load: ours, then each other with our ratio to it."""
    lines = []
    for name, label in rows.items():
        ours = results.of(name, mine)
        if ours is not None:
            cells = [compared(results.of(name, other), ours.ratio_to(other)) for other in others]
            lines.append([label, measured(ours), *cells])
    return table([corner, mine, *others.values()], lines)


def verification(results: Results) -> str:
    others = {
        "uvicorn": "uvicorn, no application",
        "node:http": "`node:http`, no application",
        "oidc-provider": "node-oidc-provider",
        "signature floor": "ES256 verification alone",
    }
    return beside(results, ENDPOINTS, "keyturn", others)


def token_endpoint(results: Results) -> str:
    rows = []
    for method, label in METHODS.items():
        for of in ("rate", "processor time"):
            name = method if of == "rate" else f"{method}, processor time"
            ours, theirs = results.of(name, "keyturn"), results.of(name, "oidc-provider")
            if ours is None or theirs is None:
                continue
            ratio = ours.ratio_to("oidc-provider")
            p99 = NOTHING if ratio is None or ratio.p99 is None else f"{number(ratio.p99)}x"
            shown = label if of == "rate" else "its processor time for each request"
            rows.append([shown, measured(ours), measured(theirs), times(ratio), p99])
    return table(["", "keyturn", "oidc-provider", "ratio", "ratio of p99"], rows)


def library(results: Results) -> str:
    floor = "signature alone"
    names = ("keyturn, seen before", "keyturn, never seen", "PyJWT", floor)
    found = [figure for name in names if (figure := results.of("verify", name))]
    rows = [
        [each.of, measured(each), times(each.ratio_to(floor)) if each.of != floor else NOTHING]
        for each in found
    ]
    return table(["the library", "tokens", "of signatures alone"], rows)


def jose_verify(results: Results) -> str:
    rows = {each.name: each.name for each in results.figures}
    return beside(results, rows, "keyturn", {"raw verify": "cryptography's verify alone"}, corner="algorithm")


def revocations(results: Results) -> str:
    rows = []
    for name in ("introspect-seen", "introspect-new"):
        without, during = (results.of(name, f"{way} revocations") for way in ("without", "with"))
        published = results.of(f"{name}, revocations", "with revocations")
        if without and during and published:
            ratio = during.ratio_to(without.of)
            rows.append(
                [
                    ENDPOINTS[name],
                    measured(without),
                    measured(during),
                    quantity(published.value, "1/s"),
                    times(ratio),
                ]
            )
    return table(["", "without revocations", "with revocations", "revocations", "ratio"], rows)


def batches(results: Results) -> str:
    alone, meanwhile = (results.of("introspect-seen", of) for of in ("alone", "beside batches"))
    ratio = meanwhile.ratio_to("alone") if meanwhile else None
    p99 = NOTHING if ratio is None or ratio.p99 is None else f"{number(ratio.p99)}x"
    row = [ENDPOINTS["introspect-seen"], measured(alone), measured(meanwhile), times(ratio), p99]
    return table(
        ["", "alone", "beside requests with 1,000 tokens never seen", "ratio", "ratio of p99"], [row]
    )


def workers(results: Results) -> str:
    several = next(each.of for each in results.figures if each.of != "one process")
    rows = []
    for name, label in {"introspect": "introspection", "verify": "`/verify` with 100 tokens"}.items():
        more = results.of(name, several)
        if more is None:
            continue
        costs = [results.of(f"{name}, processor time", of) for of in ("one process", several)]
        own_cores = results.of(f"{name}, on cores of their own", several)
        rows.append(
            [
                label,
                measured(results.of(name, "one process")),
                measured(more),
                times(more.ratio_to("one process")),
                ", ".join(map(measured, costs)),
                measured(results.of(f"{name}, load", several)),
                NOTHING if own_cores is None else f"{number(own_cores.value)}x",
            ]
        )
    header = ["", "one process", several, "rate", "processor time of a request", "that of the load"]
    return table([*header, "rate on cores of their own"], rows)


def memory(results: Results) -> str:
    rows = []
    for method in ("private_key_jwt", "client_secret_post"):
        full = results.of(method, "with all clients", next(each.at for each in results.figures if each.at))
        each_client = results.of(method, "each client")
        if full and full.at and each_client:
            ready = measured(results.of(method, "ready"))
            rows.append([method, f"{full.at:,.0f}", ready, measured(full), measured(each_client)])
    return table(["", "clients", "just started", "with all clients cached", "each client"], rows)


def admin(results: Results) -> str:
    rows = []
    for each in results.figures:
        cost = results.of(f"{each.name}, processor time", each.of)
        if cost is not None:
            latencies = f"{number(each.p50 or 0)}, {number(each.p99 or 0)}"
            rows.append([each.name, quantity(each.value, each.unit), latencies, measured(cost)])
    return table(["", "calls", "p50, p99 in ms", "processor time of the service"], rows)


def partitions(results: Results) -> str:
    one, many = (results.of("processor time of the busiest", of) for of in ("one partition", "48 partitions"))
    ratio = many.ratio_to("one partition") if many else None
    more = NOTHING if ratio is None else f"{number(1 / ratio.value)}x"
    row = [
        "a used assertion, the busiest of three Redis processes",
        measured(one),
        measured(many),
        more,
    ]
    return table(["", "one partition", "48 partitions", "as many at the limit"], [row])


def by_position(
    results: Results, rows: Sequence[tuple[str, str, str]], header: Callable[[float], str]
) -> str:
    """Return a table with a column for each position on the axis. ``rows``: name, server and label."""
    positions = sorted({figure.at for figure in results.figures if figure.at is not None})
    lines = []
    for name, of, label in rows:
        cells = [
            next(
                (
                    measured(each)
                    for each in results.figures
                    if (each.name, each.at) == (name, at) and of in ("", each.of)
                ),
                NOTHING,
            )
            for at in positions
        ]
        lines.append([label, *cells])
    return table(["", *map(header, positions)], lines)


def propagation(results: Results) -> str:
    rows = [
        ("to the last node applied", "", "from the commit to the last node applied"),
        ("to the end of the wait", "", "from the commit to the end of the wait"),
        ("processor time of a node", "", "processor time of a node for each event"),
    ]
    return by_position(results, rows, lambda count: f"{count:.0f} node{'s' if count > 1 else ''}")


def clients(results: Results) -> str:
    kinds = ("token by secret", "introspection")
    ways = ("the same hundred clients", "clients that ask once")
    rows = [(kind, way, f"{kind}, {way}") for kind in kinds for way in ways]
    rows.append(("cold node", "first token", "first token of a cold node"))
    rows.append(("Redis", "each client", "a client in Redis"))
    return by_position(results, rows, lambda count: f"{count:,.0f} client{'s' if count > 1 else ''}")


def offered_load(results: Results) -> str:
    rows = []
    for kind, label in {
        "token by secret": "a token by secret",
        "introspect-seen": ENDPOINTS["introspect-seen"],
    }.items():
        for suffix, shown in (
            ("highest rate", "at most"),
            ("busy load", "the load at that rate"),
            ("p99 within 10 ms", "with a p99 within 10 ms"),
        ):
            ours, theirs = (results.of(f"{kind}, {suffix}", of) for of in ("keyturn", "oidc-provider"))
            ratio = ours.ratio_to("oidc-provider") if ours else None
            rows.append([f"{label}, {shown}", measured(ours), measured(theirs), times(ratio)])
    limit = results.of("the load itself", "node:http")
    rows.append(["the load itself, on `node:http`", measured(limit), NOTHING, NOTHING])
    return table(["", "keyturn", "oidc-provider", "ratio"], rows)


TABLES: Final[Mapping[str, Callable[[Results], str]]] = {
    "jose_verify": jose_verify,
    "verification": verification,
    "library": library,
    "revocations": revocations,
    "batches": batches,
    "token_endpoint": token_endpoint,
    "offered_load": offered_load,
    "workers": workers,
    "clients": clients,
    "memory": memory,
    "propagation": propagation,
    "partitions": partitions,
    "admin_sqlite": admin,
    "admin_postgresql": admin,
}


def part(results: Results) -> str:
    """Return a table with its origin under it."""
    return f"{TABLES[results.benchmark](results)}\n\n{origin(results)}"
