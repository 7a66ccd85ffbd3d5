"""What the numbers of a bench say, in words. A sentence is said only where it holds. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from infer_bench.reporters import format
from infer_bench.reporters.groups import Group, shares, split
from infer_bench.results import BenchResult, Report

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


def about_model(groups: Iterable[Group]) -> list[Sentence]:
    """What holds for one model: the fastest candidate at each batch size, other answers, and the bottleneck."""
    groups = tuple(groups)
    sentences = [sentence for group in groups for sentence in _speed(group, len(groups) > 1)]
    sentences += _differences(groups)
    sentences += _bottleneck(groups[0]) if groups else []
    return sentences


def about_report(report: Report[Any]) -> list[Sentence]:
    """What holds for the whole run: where its rows came from, and whether it was finished."""
    sentences = []
    if not report.complete:
        sentences.append(Sentence("The run was not finished: these are the rounds up to its end.", "alarm"))
    if report.settings.get("rows_source") == "drawn from the model":
        sentences.append(Sentence("The rows were drawn from the model itself; --data measures on yours."))
    if any(result.request and result.request.unit == "batch-mean" for result in report.results):
        sentences.append(Sentence("* too fast to time one call: each sample is the mean of several."))
    return sentences


def _speed(group: Group, several: bool) -> list[Sentence]:
    reference = group.find(group.reference)
    rivals = [r for r in group.results if r.speedup and not r.failed and r.candidate != group.reference]
    if reference is None or not rivals:
        return []
    best = max(rivals, key=_ratio)
    verb = _verb(group.batch, several)
    slower = all(r.speedup and r.speedup.high is not None and r.speedup.high < 1 for r in rivals)
    if slower:
        return [Sentence(_reference_wins(reference, best, group, verb))]
    if not _shown(best):
        return [Sentence(_no_difference(reference, best, group))]
    tied = [r for r in rivals if r is not best and _overlap(r, best)]
    return [Sentence(_best_wins(reference, best, group, verb)), *_ties(best, tied, group)]


def _ratio(result: BenchResult) -> float:
    return result.speedup.ratio if result.speedup else 0.0


def _shown(result: BenchResult) -> bool:
    """Whether the interval leaves out 1: the speed-up is more than chance."""
    speedup = result.speedup
    return speedup is not None and (speedup.ratio > 1 if speedup.low is None else speedup.low > 1)


def _overlap(one: BenchResult, other: BenchResult) -> bool:
    if not one.speedup or not other.speedup or one.speedup.high is None or other.speedup.low is None:
        return False
    return one.speedup.high >= other.speedup.low


def _verb(batch: int, several: bool) -> str:
    if batch == 1:
        return "answers a request"
    return f"answers a batch of {format.count(batch)}" if several else f"answers {format.count(batch)} rows"


def _best_wins(reference: BenchResult, best: BenchResult, group: Group, verb: str) -> str:
    times = format.ratio(_ratio(best)) if _ratio(best) != 1 else "1.00×"
    faster = f"{_name(best, group)} {verb} {times} faster than {_name(reference, group)}"
    caution = "" if best.speedup and best.speedup.low is not None else " (a single process: no interval)"
    return f"{faster}{caution}{_same(best)}."


def _same(result: BenchResult) -> str:
    """The end of a sentence about speed: no engine is called fast without saying what it answers."""
    if result.label_changes or result.non_finite_mismatches:
        return ", but does not answer the same"
    if result.max_abs_delta is None:
        return f"; its answers were not compared{': ' + result.delta_note if result.delta_note else ''}"
    if result.max_abs_delta == 0:
        return ", and exactly the same"
    distance = format.about(result.max_abs_delta)
    return f", and the same to {distance}" if result.max_abs_delta <= SAME_WITHIN else f", up to {distance} apart"


def _reference_wins(reference: BenchResult, best: BenchResult, group: Group, verb: str) -> str:
    next_best = f"; {_name(best, group)} is next, at {format.ratio(_ratio(best))} its speed"
    return f"{_name(reference, group)} {verb} fastest{next_best}."


def _no_difference(reference: BenchResult, best: BenchResult, group: Group) -> str:
    at = "" if group.batch == 1 else f" at batch {format.count(group.batch)}"
    interval = best.speedup and format.speedup(best.speedup.ratio, best.speedup.low, best.speedup.high)
    return f"No difference shown between {_name(best, group)} and {_name(reference, group)}{at}: {interval}."


def _ties(best: BenchResult, tied: list[BenchResult], group: Group) -> list[Sentence]:
    if not tied:
        return []
    others = _listed([_name(result, group) for result in tied])
    return [Sentence(f"No difference shown between {_name(best, group)} and {others}: their intervals overlap.")]


def _differences(groups: Iterable[Group]) -> list[Sentence]:
    """Other labels and one-sided NaN: one sentence a candidate and batch, never left out."""
    groups = tuple(groups)
    return [
        Sentence(f"DIFFERENT: {_name(result, group)} {said}{_at(group, len(groups) > 1)}.", "alarm")
        for group in groups
        for result in group.results
        for said in _said(result)
    ]


def _said(result: BenchResult) -> list[str]:
    said = []
    rows = f" of {format.plural(result.delta_rows, 'row')}" if result.delta_rows else ""
    if result.label_changes:
        noun = "" if rows else (" row" if result.label_changes == 1 else " rows")
        said.append(f"gives another label in {format.count(result.label_changes)}{rows}{noun}")
    if result.non_finite_mismatches:
        answers = format.plural(result.non_finite_mismatches, "answer")
        said.append(f"and the reference disagree on what is a number in {answers}")
    return said


def _at(group: Group, several: bool) -> str:
    return f" at batch {format.count(group.batch)}" if several else ""


def _bottleneck(group: Group) -> list[Sentence]:
    """Said of the reference only: what is left to win by changing the engine."""
    reference = group.find(group.reference)
    if reference is None or reference.phases is None or reference.failed:
        return []
    phase, share = max(shares(reference.phases).items(), key=lambda item: item[1])
    if phase == "predict" or share <= MOST:
        return []
    feed = _REQUESTS.get(_options(reference).get("feed", ""), f"{reference.engine} request")
    at = "" if group.batch == 1 else f" at batch {format.count(group.batch)}"
    return [Sentence(f"{format.percent(share)} of the {feed} is {phase}{at}: the engine is not the bottleneck.")]


def _name(result: BenchResult, group: Group) -> str:
    """As few words as tell it from the others: the engine, its feed, then the options that differ."""
    alike = [other for other in group.results if other.engine == result.engine and other is not result]
    options = _options(result)
    if not options and split(result)[0] != result.engine:
        return result.candidate
    feed = options.get("feed", "")
    words = [result.engine]
    if feed == "dataframe" or any(_options(other).get("feed", "") != feed for other in alike):
        words.append(_FEEDS.get(feed, f"with feed={feed}" if feed else ""))
    others = [_options(other) for other in alike]
    telling = [key for key, value in options.items() if key != "feed" and any(o.get(key) != value for o in others)]
    if telling:
        words.append(f"({', '.join(f'{key}={options[key]}' for key in telling)})")
    return " ".join(word for word in words if word)


def _options(result: BenchResult) -> Mapping[str, str]:
    written = split(result)[1]
    return dict(option.partition("=")[::2] for option in written.split(" ")) if written else {}


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
