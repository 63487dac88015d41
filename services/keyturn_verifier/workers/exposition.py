"""One page of metrics made of the pages of several processes. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

WORKER: Final = "worker"
"""The label with a worker's number."""
END_OF_PAGE: Final = b"# EOF\n"
"""Last line of a page under way between processes: a process may end while it writes."""


def merged_page(pages: Mapping[str, str], own: str, *, missing: int) -> bytes:
    """Return the page of a node. ``pages``: text of each worker, by the value of the label. ``own``: text of
    the parent, whose samples have their labels. ``missing``: how many workers did not answer."""
    families: dict[str, Metric] = {}
    for worker, text in pages.items():
        _add(families, text, {WORKER: worker})
    _add(families, own, {})
    left_out = GaugeMetricFamily(
        "keyturn_worker_pages_missing",
        "Workers that are not on this page because they did not answer in time",
        value=missing,
    )
    registry = CollectorRegistry()
    registry.register(_Fixed([*families.values(), left_out]))
    return generate_latest(registry)


class _Fixed(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def _add(families: dict[str, Metric], text: str, label: Mapping[str, str]) -> None:
    for family in text_string_to_metric_families(text):
        merged = families.setdefault(
            family.name, Metric(family.name, family.documentation, family.type, family.unit)
        )
        for sample in family.samples:
            merged.add_sample(sample.name, {**sample.labels, **label}, sample.value)
