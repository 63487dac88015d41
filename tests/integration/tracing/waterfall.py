"""A picture of one trace, drawn as SVG: a row for each span, inside its parent."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from tests.testkit.otlp import ReceivedSpan

WIDTH: Final = 1100
_LABELS, _RIGHT, _TOP, _ROW = 400, 100, 74, 34
_LEAST_WIDTH: Final = 3
_STEPS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_MOST_STEPS: Final = 8
_COLOURS: Final = {"keyturn-credentials": "#0b6bcb", "keyturn-verifier": "#1a7f37"}
_NS_PER_MS: Final = 1_000_000


def height_of(spans: Sequence[ReceivedSpan]) -> int:
    """Return the height of the picture of these spans, in pixels."""
    return _TOP + _ROW * len(spans) + 34


def svg(spans: Sequence[ReceivedSpan], title: str) -> str:
    """Return the picture of a trace. Times are ms since its first span began."""
    begun, ended = min(span.begun for span in spans), max(span.ended for span in spans)
    longest, across = (ended - begun) / _NS_PER_MS, WIDTH - _LABELS - _RIGHT

    def x(milliseconds: float) -> float:
        return _LABELS + across * milliseconds / longest

    bottom = _TOP + _ROW * len(spans)
    parts = [
        f'<rect width="{WIDTH}" height="{height_of(spans)}" fill="#fff"/>',
        f'<text x="16" y="28" font-size="16" font-weight="600">{escape(title)}</text>',
    ]
    for tick in _ticks(longest):
        parts.append(
            f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{_TOP - 8}" y2="{bottom}" stroke="#ddd"/>'
        )
        parts.append(f'<text x="{x(tick):.1f}" y="{_TOP - 14}" text-anchor="middle">{tick:g} ms</text>')
    for row, (span, depth) in enumerate(_in_order(spans)):
        y, left = _TOP + _ROW * row, 16 + 18 * depth
        first, last = x((span.begun - begun) / _NS_PER_MS), x((span.ended - begun) / _NS_PER_MS)
        end, place = max(last, first + _LEAST_WIDTH), escape(_place(span))
        bar = f'x="{first:.1f}" y="{y + 7}" width="{end - first:.1f}" height="16" rx="2"'
        parts += [
            f'<text x="{left}" y="{y + 15}">{escape(_label(span))}</text>',
            f'<text x="{left}" y="{y + 28}" font-size="10" fill="#666">{place}</text>',
            f'<rect {bar} fill="{_COLOURS[span.service]}"/>',
            f'<text x="{end + 6:.1f}" y="{y + 19}" fill="#444">{_duration(span)}</text>',
        ]
    body = "".join(parts)
    size = f'width="{WIDTH}" height="{height_of(spans)}"'
    style = "font-family: 'DejaVu Sans', 'Liberation Sans', sans-serif; font-size: 12px"
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} style="{style}">{body}</svg>'


def _in_order(spans: Sequence[ReceivedSpan]) -> Iterator[tuple[ReceivedSpan, int]]:
    """Yield each span after its parent, with its depth."""
    known = {span.id for span in spans}

    def below(parent: ReceivedSpan | None, depth: int) -> Iterator[tuple[ReceivedSpan, int]]:
        for span in sorted(spans, key=lambda span: span.begun):
            is_root = span.parent not in known
            if (is_root and parent is None) or (parent is not None and span.parent == parent.id):
                yield span, depth
                yield from below(span, depth + 1)

    yield from below(None, 0)


def _label(span: ReceivedSpan) -> str:
    if span.name == "transaction":
        return f"transaction: {span.attributes['keyturn.event.type']}"
    if span.kind == "SERVER":
        return span.name.replace("/admin/realms/{realm}", "…")
    return span.name


def _place(span: ReceivedSpan) -> str:
    return span.service if span.service == "keyturn-credentials" else f"{span.service}, {span.instance}"


def _duration(span: ReceivedSpan) -> str:
    milliseconds = (span.ended - span.begun) / _NS_PER_MS
    return f"{milliseconds:.2f} ms" if milliseconds < 1 else f"{milliseconds:.1f} ms"


def _ticks(longest: float) -> list[float]:
    step = next((step for step in _STEPS if longest / step <= _MOST_STEPS), _STEPS[-1])
    return [float(step * number) for number in range(int(longest / step) + 1)]
