"""What is said of rows made to find differences: who answers otherwise there, in how many rows, and why."""

from collections.abc import Iterable

from infer_bench.report.bench import BenchResult, ProbeTest
from infer_bench.reporters.bench.columns import PROBE_MARK, breaks_probes
from infer_bench.reporters.bench.groups import BatchGroup
from infer_bench.reporters.bench.sentences.sentence import Sentence, enumerate_names, name_result
from infer_bench.reporters.text import numbers

_KINDS = {"thresholds": "on split points", "drawn": "drawn from the model", "zero": "with zeros"}


def describe_probes(groups: Iterable[BatchGroup]) -> list[Sentence]:
    """One sentence a candidate, whatever the batch sizes: its answers to probes do not depend on them."""
    sentences: dict[tuple[str, str], Sentence] = {}
    for group in groups:
        for result in group.results:
            if result.probes is None or (not breaks_probes(result) and result.probes.failed is None):
                continue
            key = result.model.path, result.candidate
            sentences.setdefault(key, _describe(result, result.probes, name_result(result, group)))
    return list(sentences.values())


def _describe(result: BenchResult, test: ProbeTest, name: str) -> Sentence:
    if test.failed is not None:
        return Sentence(f"{name} was not tried on rows made to find differences: {test.failed}.")
    places = enumerate_names([f"{_KINDS.get(kind, kind)} {numbers.count(rows)}" for kind, rows in test.groups.items()])
    rows = f"{numbers.count(test.failing)} of {numbers.plural(test.rows, 'probe row')}"
    return Sentence(f"{PROBE_MARK} {name} differs in {rows} ({places}){_say_how(test)}; {_say_why(test)}.", "alarm")


def _say_how(test: ProbeTest) -> str:
    parts = [f"by up to {numbers.about(test.max_abs_delta)}"] if test.max_abs_delta else []
    parts += [f"with another label in {numbers.count(test.label_changes)}"] if test.label_changes else []
    parts += [f"refusing {numbers.count(test.refusals)}"] if test.refusals else []
    return f", {enumerate_names(parts)}" if parts else ""


def _say_why(test: ProbeTest) -> str:
    if test.causes:
        names = [cause.name for cause in test.causes]
        return f"cause{'' if len(names) == 1 else 's'}: {enumerate_names(names)}"
    return test.why or "no cause was found"
