"""What is said of answers: how near they are to the reference's, which differ, which were not compared."""

from collections.abc import Iterable

from infer_bench.report.bench import BenchResult
from infer_bench.reporters.bench.columns import breaks_probes
from infer_bench.reporters.bench.groups import BatchGroup
from infer_bench.reporters.bench.sentences.sentence import Sentence, name_result, say_batch
from infer_bench.reporters.text import numbers

SAME_WITHIN = 1e-4
"""Answers that differ by no more are called the same; more is given as a distance."""


def rank_trust(result: BenchResult) -> int:
    """No candidate is put forward while another one's predictions agree better with the reference."""
    if result.label_changes or result.non_finite_mismatches:
        return 0
    return 1 if result.max_abs_delta is None or breaks_probes(result) else 2


def say_likeness(result: BenchResult) -> str:
    """The end of a sentence about speed: no engine is called fast without saying what it answers."""
    if rank_trust(result) == 0:
        return ", but does not answer the same"
    if result.max_abs_delta is None:
        return "; its answers were not compared"
    return _say_distance(result.max_abs_delta) + (", on these rows alone" if breaks_probes(result) else "")


def _say_distance(delta: float) -> str:
    if delta == 0:
        return ", and exactly the same"
    distance = numbers.about(delta)
    return f", and the same to {distance}" if delta <= SAME_WITHIN else f", but up to {distance} apart"


def describe_differences(groups: Iterable[BatchGroup]) -> list[Sentence]:
    """Other labels and one-sided NaN: one sentence a candidate and batch, never left out."""
    return [
        Sentence(f"DIFFERENT: {name_result(result, group)} {difference}{say_batch(group)}.", "alarm")
        for group in groups
        for result in group.results
        for difference in _list_differences(result)
    ]


def describe_uncompared(groups: Iterable[BatchGroup]) -> list[Sentence]:
    """Whose answers were not compared, and why."""
    texts = {
        f"The answers of {name_result(result, group)} were not compared: {result.delta_note}.": None
        for group in groups
        for result in group.results
        if result.delta_note and result.max_abs_delta is None and not result.failed
        if result is not group.reference
    }
    return [Sentence(text) for text in texts]


def _list_differences(result: BenchResult) -> list[str]:
    texts = []
    rows = f" of {numbers.plural(result.delta_rows, 'row')}" if result.delta_rows else ""
    if result.label_changes:
        noun = "" if rows else (" row" if result.label_changes == 1 else " rows")
        texts.append(f"gives another label in {numbers.count(result.label_changes)}{rows}{noun}")
    if result.non_finite_mismatches:
        predictions = numbers.plural(result.non_finite_mismatches, "answer")
        texts.append(f"and the reference disagree on what is a number in {predictions}")
    return texts
