"""The verdict of a bench without a gate, in one sentence."""

from collections.abc import Sequence

from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Verdict
from infer_bench.reporters.text import numbers


def describe_verdict(verdict: Verdict, results: Sequence[BenchResult]) -> str:
    """`failed: 8 of 12 rows could not be measured`, whose reasons the table holds; else status and reasons."""
    failures = sum(result.failed is not None for result in results)
    if verdict.status == "failed" and failures:
        return f"failed: {failures} of {numbers.plural(len(results), 'row')} could not be measured"
    return ": ".join(filter(None, [verdict.status, "; ".join(verdict.reasons)]))
