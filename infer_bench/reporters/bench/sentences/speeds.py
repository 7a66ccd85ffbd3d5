"""What is said of speed: nobody is called faster or slower without an interval that shows it."""

from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from infer_bench.report.bench import BenchResult
from infer_bench.reporters.bench.groups import BatchGroup
from infer_bench.reporters.bench.sentences.answers import rank_trust, say_likeness
from infer_bench.reporters.bench.sentences.sentence import Sentence, enumerate_names, name_result, say_batch
from infer_bench.reporters.bench.sentences.waiting import estimate_speedup_without_waiting
from infer_bench.reporters.text import numbers

_ONE_PROCESS = "one process gives no interval (--processes 3)"
_FEW_PAIRS = "fewer than two processes measured both sides, which gives no interval"
_FEW_SAMPLES = "there are too few samples for a median"


@dataclass(frozen=True, slots=True)
class _RatedResult:
    """A candidate whose speed-up has the interval `low` to `high`."""

    result: BenchResult
    ratio: float
    low: float
    high: float

    def order(self) -> tuple[int, float]:
        """The larger, the sooner it is put forward."""
        return rank_trust(self.result), self.ratio


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Who is put forward in a group, and what can be said of it; `fastest` is a reference that beats all others."""

    kind: Literal["faster", "slower", "fastest", "unclear"]
    best: _RatedResult
    reference: BenchResult
    group: BatchGroup

    def likeness(self) -> tuple[str, ...]:
        """Outcomes that agree in this are told in one breath."""
        sides = (name_result(result, self.group) for result in (self.best.result, self.reference))
        return self.kind, *sides, say_likeness(self.best.result)


def compare_speeds(groups: tuple[BatchGroup, ...]) -> list[Sentence]:
    """Who answers fastest at each batch size, and of whom nothing is shown."""
    sentences = [Sentence(text, is_doubt=True) for group in groups for text in _excuse_reference(group)]
    outcomes = [outcome for group in groups if (outcome := _conclude(group))]
    for _, alike in groupby(outcomes, key=_Outcome.likeness):
        first, *others = alike
        sentences.append(Sentence(_tell(first)))
        sentences += [Sentence(_tell_others(others))] if others else []
        sentences += [sentence for outcome in (first, *others) for sentence in _find_ties(outcome)]
    return sentences + _tell_unproven(groups)


def _excuse_reference(group: BatchGroup) -> list[str]:
    reference = group.reference
    if reference is None or not reference.failed or all(result.failed for result in group.results):
        return []
    return [f"No speed-up is shown{say_batch(group)}: the reference, {name_result(reference, group)}, failed."]


def _list_rivals(group: BatchGroup) -> list[BenchResult]:
    """What was measured beside the reference; nothing without one that was measured too."""
    reference = group.reference
    if reference is None or reference.failed:
        return []
    return [r for r in group.results if r is not reference and r.request and not r.failed]


def _find_doubt(result: BenchResult, group: BatchGroup) -> str:
    """Why nothing can be said of a candidate's speed; empty where its interval says it."""
    reference = group.reference
    pair = [part for part in (reference, result) if part is not None]
    if any(part.request is not None and part.request.p50_ns is None for part in pair):
        return _FEW_SAMPLES
    if result.speedup is not None and result.speedup.low is not None and result.speedup.high is not None:
        return ""
    return _FEW_PAIRS if min(len(part.processes) for part in pair) > 1 else _ONE_PROCESS


def _rate_rivals(group: BatchGroup) -> list[_RatedResult]:
    pairs = [(result, result.speedup) for result in _list_rivals(group) if not _find_doubt(result, group)]
    return [
        _RatedResult(result, speedup.ratio, speedup.low, speedup.high)
        for result, speedup in pairs
        if speedup is not None and speedup.low is not None and speedup.high is not None
    ]


def _conclude(group: BatchGroup) -> _Outcome | None:
    reference, rated = group.reference, _rate_rivals(group)
    if reference is None or not rated:
        return None
    best = max(rated, key=_RatedResult.order)
    if best.low > 1:
        return _Outcome("faster", best, reference, group)
    if len(rated) == len(_list_rivals(group)) and all(one.high < 1 for one in rated):
        return _Outcome("fastest", best, reference, group)
    unclear = [one for one in rated if one.low <= 1 <= one.high and rank_trust(one.result) == rank_trust(best.result)]
    if unclear:
        return _Outcome("unclear", max(unclear, key=_RatedResult.order), reference, group)
    return _Outcome("slower", best, reference, group)


def _tell(outcome: _Outcome) -> str:
    best, group = outcome.best, outcome.group
    name, against = name_result(best.result, group), name_result(outcome.reference, group)
    what = "a request" if group.batch == 1 else f"a batch of {numbers.count(group.batch)}"
    match outcome.kind:
        case "unclear":
            return f"No difference shown between {name} and {against}{say_batch(group)}: {_format_speedup(best)}."
        case "slower":
            slower = f"slower than {against}: {_format_speedup(best)}{_say_waiting(outcome)}"
            return f"{name} answers {what} {slower}{say_likeness(best.result)}."
        case "fastest":
            return f"{against} answers {what} fastest; {name} is next, at {_format_ratio(best)} its speed."
    faster = f"{_format_ratio(best)} faster than {against}{_say_waiting(outcome)}"
    return f"{name} answers {what} {faster}{say_likeness(best.result)}."


def _say_waiting(outcome: _Outcome) -> str:
    """The speed-up without the time in which others held the CPU, where that is another one than was measured."""
    ratio = estimate_speedup_without_waiting(outcome.best.result, outcome.reference)
    if ratio is None or outcome.best.low <= ratio <= outcome.best.high:
        return ""
    return f" (about {numbers.speedup(ratio, None, None)} without waiting for a busy CPU)"


def _tell_others(outcomes: list[_Outcome]) -> str:
    speedups = [
        f"{_format_speedup(outcome.best)}{_say_waiting(outcome)} at batch {numbers.count(outcome.group.batch)}"
        for outcome in outcomes
    ]
    return f"Likewise {enumerate_names(speedups)}."


def _format_ratio(rated: _RatedResult) -> str:
    return numbers.speedup(rated.ratio, None, None)


def _format_speedup(rated: _RatedResult) -> str:
    return numbers.speedup(rated.ratio, rated.low, rated.high)


def _find_ties(outcome: _Outcome) -> list[Sentence]:
    """Said when the fastest is not alone: others that answer as well, and are within its interval."""
    best, group = outcome.best, outcome.group
    if outcome.kind != "faster":
        return []
    alike = [one for one in _rate_rivals(group) if rank_trust(one.result) == rank_trust(best.result)]
    tied = [one.result for one in alike if one.result is not best.result and one.high >= best.low]
    if not tied:
        return []
    others = enumerate_names([name_result(result, group) for result in tied])
    between = f"{name_result(best.result, group)} and {others}{say_batch(group)}"
    return [Sentence(f"No difference shown between {between}: intervals overlap.")]


def _tell_unproven(groups: tuple[BatchGroup, ...]) -> list[Sentence]:
    """Candidates without an interval, together where the reason is the same; by name where others have one."""
    names: dict[tuple[str, tuple[str, ...]], list[BatchGroup]] = {}
    for group in groups:
        rivals = _list_rivals(group)
        for reason in dict.fromkeys(filter(None, (_find_doubt(result, group) for result in rivals))):
            concerned = [result for result in rivals if _find_doubt(result, group) == reason]
            whose = () if concerned == rivals else tuple(name_result(result, group) for result in concerned)
            names.setdefault((reason, whose), []).append(group)
    doubts = (_tell_doubt(*key, batches, len(batches) == len(groups)) for key, batches in names.items())
    return [Sentence(text, is_doubt=True) for text in doubts]


def _tell_doubt(reason: str, names: tuple[str, ...], groups: list[BatchGroup], is_everywhere: bool) -> str:
    of = f" of {enumerate_names(names)}" if names else ""
    batches = "" if is_everywhere else f" at batch {enumerate_names([numbers.count(group.batch) for group in groups])}"
    return f"No speed-up{of} is certain{batches}: {reason}."
