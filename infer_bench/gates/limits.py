"""Limits as they are written: `5%`, `p50=3%,p95=10%,load=20%`, `p99<5ms`, `onnxruntime.p50<50us`. Pure."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from infer_bench.errors import UsageError
from infer_bench.stats.decisions.error_rates import Errors

Unit = Literal["ns", "bytes"]
Choice = Literal["", "pass", "fail"]
"""What an inconclusive gate counts as: itself, or one of the two."""

OTHER_METRICS: dict[str, Unit] = {"load": "ns", "cold_start": "ns", "rss": "bytes", "size": "bytes"}
"""What can be limited beside percentiles: loading the model, the cold start, resident memory, the file's size."""
PER_PROCESS = frozenset({"cold_start", "rss"})
"""What only a process of one's own shows."""
GATED = ("p50", "p95")
"""What a bare `5%` is for: a slow-down of the tail alone moves the p50 by next to nothing."""
MARGINS = {"p50": 0.02, "p95": 0.05}
"""What is allowed where nothing else is said: layouts of one file differ by about 1 % at p50, by about 3 % at p95."""
LEAST_MARGIN = 0.005
MORE_BUDGET = "give it a larger --budget"
"""In a reason, until it is known which one would decide."""
MOST_MARGIN = 1_000.0

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,6})?)")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*(%?)")
_VALUE = re.compile(r"=?\s*(\d+(?:\.\d+)?(?:e-?\d+)?)\s*([A-Za-zµμ]*)")
_TIMES = {"ns": 1.0, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9}
_SIZES = {"b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "kib": 2.0**10, "mib": 2.0**20, "gib": 2.0**30}
_LEAST_WITH_TIME = "a margin is never so small, since two runs of one file differ by themselves"


@dataclass(frozen=True, slots=True)
class Bound:
    """An absolute limit on a metric, in ns or bytes; `whom` is an engine, a candidate or a model, empty for everyone.

    `text` is the limit as it was written.
    """

    metric: str
    value: float
    whom: str = ""
    text: str = ""

    @property
    def unit(self) -> Unit:
        """What the value counts."""
        return unit_of(self.metric)

    def concerns(self, candidate: str, engine: str, model: str) -> bool:
        """Whether it holds for a candidate of a model, which may be told by the end of its path: `models/new.onnx`."""
        return self.whom in ("", candidate, engine, model) or model.endswith(f"/{self.whom.removeprefix('./')}")


@dataclass(frozen=True, slots=True)
class GateLimits:
    """What is allowed: `shares` on top of the baseline by metric, absolute `bounds`, and the largest |difference|.

    `unnamed` are those metrics of `shares` whose share nobody gave by name (see `gates.unnamed_limits`).
    """

    shares: Mapping[str, float] = field(default_factory=dict)
    unnamed: frozenset[str] = frozenset()
    bounds: tuple[Bound, ...] = ()
    max_delta: float | None = None
    errors: Errors = field(default_factory=Errors)
    inconclusive: Choice = ""


def unit_of(metric: str) -> Unit:
    """What a metric is measured in."""
    return OTHER_METRICS.get(metric, "ns")


def share_of(metric: str) -> float | None:
    """The share of samples below a percentile, 0.95 for `p95`; None for a metric that is none."""
    percentile = _PERCENTILE.fullmatch(metric)
    percent = float(percentile[1]) if percentile else 0.0
    return float(f"{percent}e-2") if 0 < percent < 100 else None


def parse_regressions(text: str) -> dict[str, float]:
    """Metric → the share allowed on top, from `5%` (for p50 and p95) or `p50=3%,p95=10%,load=20%,rss=10%,size=0%`.

    Raises `UsageError` for anything else, and for a margin of zero on a metric that is measured.
    """
    shares: dict[str, float] = {}
    for piece in text.split(","):
        name, equals, share = piece.rpartition("=")
        metrics = (_check_metric(name.strip()),) if equals else GATED
        for metric in metrics:
            margin = _parse_share(share.strip(), metric, text)
            if metric in shares:
                raise UsageError(f"{metric} stands twice in {text!r}", "give each metric once")
            shares[metric] = margin
    return shares


def find_unnamed(text: str | None) -> frozenset[str]:
    """The tails that limits as `parse_regressions` reads them hold without naming them; None: where nothing is said."""
    bare = text is None or any("=" not in piece for piece in text.split(","))
    return frozenset(metric for metric in GATED if metric != "p50") if bare else frozenset()


def _parse_share(text: str, metric: str, whole: str) -> float:
    number = _SHARE.fullmatch(text)
    if number is None:
        raise UsageError(f"{whole!r} is no limit", "write 5%, or p50=3%,p95=10%")
    share = float(number[1]) / (100 if number[2] else 1)
    if share > MOST_MARGIN:
        raise UsageError(f"{metric}={text} allows everything", f"{MOST_MARGIN * 100:,.0f}% or less")
    if not number[2] and share >= 1:
        raise UsageError(f"{text!r} in {whole!r} lacks its per cent sign", f"write {text}%")
    if share < LEAST_MARGIN and metric != "size":
        raise UsageError(f"{metric}={text}: {_LEAST_WITH_TIME}", f"{LEAST_MARGIN * 100:g}% or more")
    return share


def parse_bound(text: str) -> Bound:
    """An absolute limit, from `p99<5ms`, `rss<300MB` or `onnxruntime.p50<50us`. Raises `UsageError`."""
    subject, _, limit = text.partition("<")
    quantity = _VALUE.fullmatch(limit.strip())
    if quantity is None:
        raise UsageError(f"{text!r} is no limit", "write it as in 'p99<5ms' or 'onnxruntime.p50<50us'")
    number, unit = quantity.groups()
    whom, name = _split_subject(subject)
    metric = _check_metric(name)
    scales = _TIMES if unit_of(metric) == "ns" else _SIZES
    scale = scales.get(unit if unit in scales else unit.lower())
    if scale is None:
        raise UsageError(f"{text!r} needs a unit", f"one of: {', '.join(scales)}")
    value = float(number) * scale
    if not 0 < value < math.inf:
        raise UsageError(f"{text!r}: a limit is a number above zero")
    return Bound(metric, value, whom, text.strip())


def _split_subject(text: str) -> tuple[str, str]:
    """Whom and what: the metric is the longest ending that is one, since `p99.9` has a dot of its own."""
    places = [0, *(i + 1 for i, letter in enumerate(text) if letter == ".")]
    for place in places:
        if _is_metric(text[place:].strip()):
            return text[: max(0, place - 1)].strip(), text[place:].strip()
    whom, _, name = text.rpartition(".")
    return whom.strip(), name.strip()


def _is_metric(name: str) -> bool:
    return name.replace("-", "_") in OTHER_METRICS or share_of(name) is not None


def _check_metric(name: str) -> str:
    if not _is_metric(name):
        metrics = ", ".join(("p50", "p95", "p99", *OTHER_METRICS))
        raise UsageError(f"there is no metric {name!r} to limit", f"known: {metrics}, and any percentile as in p99.9")
    share = share_of(name)
    return name.replace("-", "_") if share is None else f"p{share * 100:.10g}"


def parse_duration(text: str) -> float:
    """A duration: `10s`, `500ms`, `2m`, or a bare number of seconds. Raises `UsageError`."""
    duration = re.fullmatch(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*(ms|s|m|min|h)?\s*", text)
    if duration is None or float(duration[1]) <= 0:
        raise UsageError(f"{text!r} is no time", "write it as in 10s, 500ms or 2m")
    return float(duration[1]) * {"ms": 1e-3, "m": 60.0, "min": 60.0, "h": 3600.0}.get(duration[2] or "s", 1.0)
