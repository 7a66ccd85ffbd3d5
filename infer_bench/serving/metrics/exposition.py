"""The numbers of all processes as text for Prometheus."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from infer_bench.serving.metrics.families import FAMILIES, REQUESTS, MetricFamily, Numbers, place


def expose(memories: Sequence[Numbers], accept: str = "") -> tuple[bytes, str]:
    """The text and its content type, in the format that `accept` prefers. Each memory is one process's numbers."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import choose_encoder

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector([sum(numbers) for numbers in zip(*memories, strict=True)]))
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Collector:
    """What prometheus-client asks for the numbers."""

    def __init__(self, numbers: Sequence[float]) -> None:
        self._numbers = numbers

    def collect(self) -> Iterator[Any]:
        """Every metric."""
        return (self._collect(family) for family in FAMILIES)

    def _collect(self, family: MetricFamily) -> Any:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        kinds: dict[str, Any] = {
            "counter": CounterMetricFamily,
            "gauge": GaugeMetricFamily,
            "histogram": HistogramMetricFamily,
        }
        metric = kinds[family.kind](family.name, family.help, labels=family.labels)
        for labels in family.values:
            start = place(family, labels)
            numbers = self._numbers[start : start + family.width]
            if family.kind == "histogram":
                counts = itertools.accumulate(numbers[:-1])
                bounds = [*(repr(bound) for bound in family.buckets), "+Inf"]
                metric.add_metric(labels, list(zip(bounds, counts, strict=True)), sum_value=numbers[-1])
            elif numbers[0] or family is not REQUESTS:  # most statuses are never given
                metric.add_metric(labels, numbers[0])
        return metric
