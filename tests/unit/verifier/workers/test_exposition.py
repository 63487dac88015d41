"""One page of metrics from several."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from keyturn_verifier.workers.exposition import merged_page


def page(asked: int) -> str:
    registry = CollectorRegistry()
    Gauge("a_gauge", "A gauge", registry=registry).set(asked / 2)
    counter = Counter("asked", 'With "quotes" and \\ in it', ["how"], registry=registry)
    counter.labels('q"\\').inc(asked)
    histogram = Histogram("took_seconds", "Times", buckets=(0.1, 1.0), registry=registry)
    histogram.observe(0.5)
    return generate_latest(registry).decode()


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_each_sample_of_each_worker_is_there_with_its_label() -> None:
    pages = {"0": page(3), "1": page(4)}
    merged = samples(merged_page(pages, "", missing=0).decode())
    wanted = {
        (name, tuple(sorted([*labels, ("worker", worker)]))): value
        for worker, text in pages.items()
        for (name, labels), value in samples(text).items()
    }
    assert merged == wanted | {("keyturn_worker_pages_missing", ()): 0.0}


def test_a_family_has_one_head_with_its_kind() -> None:
    text = merged_page({"0": page(3), "1": page(4)}, "", missing=0).decode()
    heads = [line.removeprefix("# TYPE ") for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(heads) == len(set(heads))
    assert {"asked_total counter", "took_seconds histogram", "a_gauge gauge"} <= set(heads)


def test_metrics_of_the_parent_keep_their_labels_and_missing_workers_are_counted() -> None:
    own = '# HELP ready R\n# TYPE ready gauge\nready{worker="1"} 1.0\n'
    merged = samples(merged_page({"0": ""}, own, missing=1).decode())
    assert merged == {("ready", (("worker", "1"),)): 1.0, ("keyturn_worker_pages_missing", ()): 1.0}
