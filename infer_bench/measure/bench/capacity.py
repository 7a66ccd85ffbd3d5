"""What holding a limit costs: requests a second that a core holds it at, and the price of a million of them. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from infer_bench.errors import UsageError
from infer_bench.gates.limits import Bound, parse_bound, share_of
from infer_bench.report.bench import BenchResult, Capacity, Process
from infer_bench.stats.percentiles import minimum_samples
from infer_bench.stats.queue import find_highest_rate
from infer_bench.typing import Floats

_PRICE = re.compile(r"\s*([$€£]?)\s*(\d+(?:\.\d+)?|\.\d+)\s*([$€£]|[A-Z]{3})?\s*/\s*(?:h|hour)\s*")


@dataclass(frozen=True, slots=True)
class Price:
    """What a core costs an hour, in a currency that may be left open."""

    amount: float
    currency: str = ""


@dataclass(frozen=True, slots=True)
class CapacityTerms:
    """The limit that is to hold, and what a core costs."""

    bound: Bound
    share: float
    price: Price | None


def read_terms(slo: str | None, price: str | None) -> CapacityTerms | None:
    """The terms from `p99<5ms` and `0.05/h`. Raises `UsageError` for what is none, and for a price without a limit."""
    if slo is None:
        if price is not None:
            raise UsageError("--price needs a limit that is to hold", "--slo 'p99<5ms'")
        return None
    bound = parse_bound(slo)
    share = share_of(bound.metric)
    if share is None or bound.whom:
        raise UsageError(f"--slo limits a percentile of every candidate's request, not {slo!r}", "as in 'p99<5ms'")
    return CapacityTerms(bound, share, None if price is None else read_price(price))


def read_price(text: str) -> Price:
    """A price of an hour, from `0.05/h`, `$0.05/h` or `0.05 EUR/h`. Raises `UsageError`."""
    match = _PRICE.fullmatch(text)
    if match is None or float(match[2]) <= 0:
        raise UsageError(f"{text!r} is no price", "write what a core costs an hour, as in 0.05/h")
    return Price(float(match[2]), match[1] or match[3] or "")


def add_capacity(result: BenchResult, terms: CapacityTerms | None) -> BenchResult:
    """The result with what a core can do; as it is without terms, and where single requests were not timed."""
    if terms is None or result.request is None or result.request.unit == "batch-mean":
        return result
    pooled, least_samples = _correct_samples(result, result.processes), minimum_samples(terms.share)
    if len(pooled) < least_samples:
        return result
    cores, limit_ns = max(1.0, result.cpu_share or 1.0), terms.bound.value
    rate = find_highest_rate(pooled, terms.share, limit_ns)
    own = [_correct_samples(result, [process]) for process in result.processes]
    rates = [find_highest_rate(part, terms.share, limit_ns) or 0.0 for part in own if len(part) >= least_samples]
    low, high = (min(rates) / cores, max(rates) / cores) if len(rates) > 1 else (None, None)
    per_core = None if rate is None else rate / cores
    cost = None if per_core is None or terms.price is None else terms.price.amount / (per_core * 3600) * 1e6
    currency = terms.price.currency if terms.price is not None else ""
    return replace(result, capacity=Capacity(terms.bound.text, per_core, cost, currency, low, high))


def _correct_samples(result: BenchResult, processes: Sequence[Process]) -> Floats:
    """Requests of the processes, ns, the loop's floor taken off."""
    floor_ns = result.request.floor_ns if result.request is not None else 0
    parts = [ns for process in processes for r in process.rounds for ns in r.request_ns]
    return np.maximum(np.array(parts, dtype=np.float64) - floor_ns, 1.0)
