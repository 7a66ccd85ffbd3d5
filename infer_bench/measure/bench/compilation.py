"""What an engine that compiles takes to load a model, and after how many requests that has paid for itself. Pure."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace

from infer_bench.libraries import of_engine
from infer_bench.report.bench import BenchResult, Compilation


def note_compilations(results: Sequence[BenchResult]) -> tuple[BenchResult, ...]:
    """The results, with what compiling takes where an engine does; each is weighed against others of its batch size."""
    return tuple(_note(result, results) if _compiles(result) and result.processes else result for result in results)


def _compiles(result: BenchResult) -> bool:
    library = of_engine(result.engine)
    return (library is not None and library.compiles) or _compiles_at_first(result)


def _compiles_at_first(result: BenchResult) -> bool:
    """Whether it compiles at the first request, and not when it is loaded."""
    return result.options.get("compile") == "yes"


def _note(result: BenchResult, results: Sequence[BenchResult]) -> BenchResult:
    load_ns = _load_ns(result)
    rivals = [other for other in results if other.batch == result.batch and not _compiles(other) and _typical_ns(other)]
    best = min(rivals, key=_typical_ns, default=None)
    if best is None:
        return replace(result, compilation=Compilation(load_ns))
    saved_ns = _typical_ns(best) - _typical_ns(result)
    cost_ns = max(0, load_ns - _load_ns(best))
    requests = math.ceil(cost_ns / saved_ns) if saved_ns > 0 else None
    return replace(result, compilation=Compilation(load_ns, best.candidate, best.model.path, requests))


def _load_ns(result: BenchResult) -> int:
    first = _compiles_at_first(result)
    timed_processes = [process for process in result.processes if process.cold_start_ns > 0]
    times = [process.load_ns + (process.first_request_ns if first else 0) for process in timed_processes]
    return int(statistics.median(times)) if times else 0


def _typical_ns(result: BenchResult) -> int:
    """The request's median, or its mean where the sample carries none; 0 for a result without a measurement."""
    request = result.request
    if request is None or result.failed:
        return 0
    return request.mean_ns if request.p50_ns is None else request.p50_ns
