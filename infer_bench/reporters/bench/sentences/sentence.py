"""A sentence, and the words that all of them share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from infer_bench.report.bench import BenchResult
from infer_bench.reporters.bench.groups import BatchGroup, split_candidate
from infer_bench.reporters.text import numbers

Tone = Literal["plain", "alarm"]
_FEEDS = {"dataframe": "with a DataFrame", "ndarray": "with an array", "packed": "with packed rows"}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence; an `alarm` says that something must not be overlooked, a doubt what is not known."""

    text: str
    tone: Tone = "plain"
    is_doubt: bool = False


def say_batch(group: BatchGroup) -> str:
    """` at batch 64`; nothing for single requests."""
    return "" if group.batch == 1 else f" at batch {numbers.count(group.batch)}"


def name_result(result: BenchResult, group: BatchGroup) -> str:
    """As few words as tell it from the others: the engine, its feed, then the options that differ; or the model."""
    if len(group.models) == 1:
        return _name_candidate(result, group.results)
    model = group.names[result.model.path]
    own = [other for other in group.results if other.model.path == result.model.path]
    return model if len(own) == 1 else f"{_name_candidate(result, own)} on {model}"


def _name_candidate(result: BenchResult, results: Sequence[BenchResult]) -> str:
    alike = [other for other in results if other.engine == result.engine and other is not result]
    options = read_options(result)
    if not options and split_candidate(result)[0] != result.engine:
        return result.candidate
    feed = options.get("feed", "")
    words = [result.engine]
    if feed == "dataframe" or any(read_options(other).get("feed", "") != feed for other in alike):
        words.append(_FEEDS.get(feed, f"with feed={feed}" if feed else ""))
    others = [read_options(other) for other in alike]
    telling = [key for key, value in options.items() if key != "feed" and any(o.get(key) != value for o in others)]
    if telling:
        words.append(f"({', '.join(f'{key}={options[key]}' for key in telling)})")
    return " ".join(word for word in words if word)


def read_options(result: BenchResult) -> dict[str, str]:
    """The options in the candidate's name."""
    return dict(option.partition("=")[::2] for option in split_candidate(result)[1])


def enumerate_names(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
