"""What the numbers of a bench say, in words. A sentence is said only where it holds. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Report
from infer_bench.reporters.bench.groups import BatchGroup, share_phases, split_candidate
from infer_bench.reporters.text import numbers

SAME_WITHIN = 1e-4
"""Answers that differ by no more are called the same; more is given as a distance."""

MOST = 0.5
"""The share of a request from which on a phase is called its bottleneck."""

Tone = Literal["plain", "alarm"]
_FEEDS = {"dataframe": "with a DataFrame", "ndarray": "with an array", "packed": "with packed rows"}
_REQUESTS = {"dataframe": "DataFrame request", "ndarray": "array request", "packed": "packed request"}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence; an `alarm` says that something must not be overlooked."""

    text: str
    tone: Tone = "plain"


def describe_model(groups: Iterable[BatchGroup]) -> list[Sentence]:
    """What holds for one model: the fastest candidate at each batch size, other predictions, and the bottleneck."""
    groups = tuple(groups)
    return [
        *_compare_speeds(groups),
        *_describe_differences(groups),
        *_describe_uncompared(groups),
        *_find_bottleneck(groups),
    ]


def describe_report(report: Report[Any]) -> list[Sentence]:
    """What holds for the whole run: where its rows came from, and whether it was finished."""
    sentences = []
    if not report.complete:
        sentences.append(Sentence("The run was not finished: these are the rounds up to its end.", "alarm"))
    if report.settings.get("rows_source") == "drawn from the model":
        sentences.append(Sentence("The rows were drawn from the model itself; --data measures on yours."))
    if any(result.request and result.request.unit == "batch-mean" for result in report.results):
        sentences.append(Sentence("* too fast to time one call: each sample is the mean of several."))
    return sentences


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Who is fastest in a group, and what can be said of it."""

    kind: Literal["faster", "slower", "unclear"]
    best: BenchResult
    reference: BenchResult
    group: BatchGroup

    def likeness(self) -> tuple[str, ...]:
        """Outcomes that agree in this are told in one breath."""
        return self.kind, self.best.candidate, self.reference.candidate, _say_likeness(self.best)


def _compare_speeds(groups: tuple[BatchGroup, ...]) -> list[Sentence]:
    sentences = [Sentence(text) for group in groups for text in _excuse_reference(group)]
    outcomes = [outcome for group in groups if (outcome := _conclude(group))]
    for _, alike in groupby(outcomes, key=_Outcome.likeness):
        first, *others = alike
        sentences.append(Sentence(_tell(first)))
        sentences += [Sentence(_tell_others(others))] if others else []
        sentences += [sentence for outcome in (first, *others) for sentence in _find_ties(outcome)]
    return sentences


def _excuse_reference(group: BatchGroup) -> list[str]:
    reference = group.find(group.reference)
    if reference is None or not reference.failed or all(result.failed for result in group.results):
        return []
    return [f"No speed-up is shown{_say_batch(group)}: the reference, {_name_result(reference, group)}, failed."]


def _conclude(group: BatchGroup) -> _Outcome | None:
    reference = group.find(group.reference)
    rivals = [r for r in group.results if r.speedup and not r.failed and r.candidate != group.reference]
    if reference is None or not rivals:
        return None
    best = max(rivals, key=lambda result: (_rank_trust(result), _read_ratio(result)))
    if best.speedup and best.speedup.high is not None and best.speedup.high < 1:
        return _Outcome("slower", best, reference, group)
    return _Outcome("faster" if _is_beyond_chance(best) else "unclear", best, reference, group)


def _rank_trust(result: BenchResult) -> int:
    """No candidate is put forward while another one's predictions agree better with the reference."""
    if result.label_changes or result.non_finite_mismatches:
        return 0
    return 1 if result.max_abs_delta is None else 2


def _read_ratio(result: BenchResult) -> float:
    return result.speedup.ratio if result.speedup else 0.0


def _is_beyond_chance(result: BenchResult) -> bool:
    """Whether the interval leaves out 1: the speed-up is more than chance."""
    speedup = result.speedup
    return speedup is not None and (speedup.ratio > 1 if speedup.low is None else speedup.low > 1)


def _overlaps(one: BenchResult, other: BenchResult) -> bool:
    if not one.speedup or not other.speedup or one.speedup.high is None or other.speedup.low is None:
        return False
    return one.speedup.high >= other.speedup.low


def _tell(outcome: _Outcome) -> str:
    best, reference, group = outcome.best, outcome.reference, outcome.group
    if outcome.kind == "unclear":
        between = f"{_name_result(best, group)} and {_name_result(reference, group)}"
        return f"No difference shown between {between}{_say_batch(group)}: {_format_speedup(best)}."
    what = "a request" if group.batch == 1 else f"a batch of {numbers.count(group.batch)}"
    if outcome.kind == "slower":
        second = f"{_name_result(best, group)} is next, at {_format_ratio(best)} its speed"
        return f"{_name_result(reference, group)} answers {what} fastest; {second}."
    caution = "" if best.speedup and best.speedup.low is not None else " (one process: no interval)"
    faster = f"{_format_ratio(best)} faster than {_name_result(reference, group)}{caution}"
    return f"{_name_result(best, group)} answers {what} {faster}{_say_likeness(best)}."


def _tell_others(outcomes: list[_Outcome]) -> str:
    speedups = [
        f"{_format_speedup(outcome.best)} at batch {numbers.count(outcome.group.batch)}" for outcome in outcomes
    ]
    return f"Likewise {_enumerate(speedups)}."


def _format_ratio(result: BenchResult) -> str:
    return numbers.speedup(_read_ratio(result), None, None)


def _format_speedup(result: BenchResult) -> str:
    speedup = result.speedup
    return numbers.speedup(speedup.ratio, speedup.low, speedup.high) if speedup else numbers.MISSING


def _say_likeness(result: BenchResult) -> str:
    """The end of a sentence about speed: no engine is called fast without saying what it answers."""
    if _rank_trust(result) == 0:
        return ", but does not answer the same"
    if result.max_abs_delta is None:
        return "; its answers were not compared"
    if result.max_abs_delta == 0:
        return ", and exactly the same"
    distance = numbers.about(result.max_abs_delta)
    return f", and the same to {distance}" if result.max_abs_delta <= SAME_WITHIN else f", but up to {distance} apart"


def _find_ties(outcome: _Outcome) -> list[Sentence]:
    """Said when the fastest is not alone: others that answer as well, and are within its interval."""
    best, group = outcome.best, outcome.group
    if outcome.kind != "faster":
        return []
    tied = [r for r in group.results if r is not best and _rank_trust(r) == _rank_trust(best) and _overlaps(r, best)]
    if not tied:
        return []
    others = _enumerate([_name_result(result, group) for result in tied])
    between = f"{_name_result(best, group)} and {others}{_say_batch(group)}"
    return [Sentence(f"No difference shown between {between}: intervals overlap.")]


def _describe_differences(groups: tuple[BatchGroup, ...]) -> list[Sentence]:
    """Other labels and one-sided NaN: one sentence a candidate and batch, never left out."""
    return [
        Sentence(f"DIFFERENT: {_name_result(result, group)} {difference}{_say_batch(group)}.", "alarm")
        for group in groups
        for result in group.results
        for difference in _list_differences(result)
    ]


def _describe_uncompared(groups: tuple[BatchGroup, ...]) -> list[Sentence]:
    texts = {
        f"The answers of {_name_result(result, group)} were not compared: {result.delta_note}.": None
        for group in groups
        for result in group.results
        if result.delta_note and result.max_abs_delta is None and not result.failed
        if result.candidate != group.reference
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


def _say_batch(group: BatchGroup) -> str:
    return "" if group.batch == 1 else f" at batch {numbers.count(group.batch)}"


def _find_bottleneck(groups: tuple[BatchGroup, ...]) -> list[Sentence]:
    """Said of the reference's smallest request only: what is left to win by changing the engine."""
    group = groups[0]
    reference = group.find(group.reference)
    if reference is None or reference.phases is None or reference.failed:
        return []
    phase, share = max(share_phases(reference.phases).items(), key=lambda item: item[1])
    if phase == "predict" or share <= MOST:
        return []
    feed = _REQUESTS.get(_read_options(reference).get("feed", ""), f"{reference.engine} request")
    part = numbers.percent(share)
    return [Sentence(f"{part} of the {feed} is {phase}{_say_batch(group)}: the engine is not the bottleneck.")]


def _name_result(result: BenchResult, group: BatchGroup) -> str:
    """As few words as tell it from the others: the engine, its feed, then the options that differ."""
    alike = [other for other in group.results if other.engine == result.engine and other is not result]
    options = _read_options(result)
    if not options and split_candidate(result)[0] != result.engine:
        return result.candidate
    feed = options.get("feed", "")
    words = [result.engine]
    if feed == "dataframe" or any(_read_options(other).get("feed", "") != feed for other in alike):
        words.append(_FEEDS.get(feed, f"with feed={feed}" if feed else ""))
    others = [_read_options(other) for other in alike]
    telling = [key for key, value in options.items() if key != "feed" and any(o.get(key) != value for o in others)]
    if telling:
        words.append(f"({', '.join(f'{key}={options[key]}' for key in telling)})")
    return " ".join(word for word in words if word)


def _read_options(result: BenchResult) -> dict[str, str]:
    return dict(option.partition("=")[::2] for option in split_candidate(result)[1])


def _enumerate(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
