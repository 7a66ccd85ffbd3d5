"""What is said of engines that compile a model: what that takes, and when it has paid for itself."""

from collections.abc import Iterable

from infer_bench.report.bench import BenchResult, Compilation
from infer_bench.reporters.bench.groups import BatchGroup
from infer_bench.reporters.bench.sentences.sentence import Sentence, name_result, say_batch
from infer_bench.reporters.text import numbers


def describe_compilations(groups: Iterable[BatchGroup]) -> list[Sentence]:
    """A sentence for each that compiles, at each batch size."""
    return [
        Sentence(_describe(result, result.compilation, group))
        for group in groups
        for result in group.results
        if result.compilation is not None and not result.failed
    ]


def _describe(result: BenchResult, compilation: Compilation, group: BatchGroup) -> str:
    start = f"{name_result(result, group)} takes {numbers.coarse(compilation.load_ns)} to compile the model"
    key = compilation.against, compilation.against_model
    rival = next((other for other in group.results if (other.candidate, other.model.path) == key), None)
    if rival is None:
        return f"{start}."
    name, what = name_result(rival, group), "requests" if group.batch == 1 else "batches"
    if compilation.requests is None:
        return f"{start}, which does not pay{say_batch(group)}: {name} answers as fast."
    count = f"about {numbers.about_count(compilation.requests)} {what}"
    return f"{start}, which has paid for itself against {name} after {count}{say_batch(group)}."
