"""LightGBM's text format, read without LightGBM: what its header says and where its splits lie."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from infer_bench.engines.base import Domain
from infer_bench.errors import ModelError
from infer_bench.model import Label

_CATEGORICAL = 1
_MISSING_TYPE = 0b1100


@dataclass(frozen=True, slots=True)
class Header:
    """What the file says before its first tree and after its last.

    `pandas_categories` holds the category lists of the training's pandas columns, in column order; `categorical` the
    indices of the features that split on sets.
    """

    objective: str
    per_iteration: int
    classes: int
    features: tuple[str, ...]
    ranges: tuple[str, ...]
    categorical: tuple[int, ...]
    pandas_categories: tuple[tuple[Label, ...], ...]


def check_whole(text: str) -> None:
    """Raise `ModelError` for a file that is cut short or lacks trees: LightGBM aborts the process, or answers wrong."""
    if not text.startswith("tree"):
        raise ModelError("the file is no LightGBM text model")
    if "\nend of trees" not in text:
        raise ModelError("the LightGBM model is cut short: it lacks its `end of trees`")
    sizes = re.search(r"^tree_sizes=(.*)$", text, re.MULTILINE)
    trees = len(re.findall(r"^Tree=\d+$", text, re.MULTILINE))
    if sizes is not None and len(sizes.group(1).split()) != trees:
        raise ModelError(f"the LightGBM model announces {len(sizes.group(1).split())} trees and holds {trees}")


def header(text: str) -> Header:
    """Read the header. Raises `ModelError` when a needed line is missing."""
    head, _, _ = text.partition("\nTree=")
    tail = text[text.rfind("\nend of trees") :]
    fields = dict(line.split("=", 1) for line in head.splitlines() if "=" in line)
    try:
        features = tuple(fields["feature_names"].split(" ")) if fields["feature_names"] else ()
        per_iteration, classes = int(fields["num_tree_per_iteration"]), int(fields["num_class"])
    except (KeyError, ValueError) as error:
        raise ModelError(f"the LightGBM model's header is broken: {error}") from None
    ranges = tuple(fields.get("feature_infos", "").split(" "))
    objective = fields.get("objective", "").split(" ")[0]
    return Header(objective, per_iteration, classes, features, ranges, _categorical(tail, ranges), _pandas(tail))


def _categorical(tail: str, ranges: Sequence[str]) -> tuple[int, ...]:
    given = re.search(r"^\[categorical_feature: ([\d,]+)\]$", tail, re.MULTILINE)
    named = {int(i) for i in given.group(1).split(",") if i} if given else set()
    return tuple(sorted(named | {i for i, text in enumerate(ranges) if set_of(text)}))


def _pandas(tail: str) -> tuple[tuple[Label, ...], ...]:
    found = re.search(r"^pandas_categorical:(.*)$", tail, re.MULTILINE)
    try:
        lists = json.loads(found.group(1)) if found else None
        return tuple(tuple(values) for values in lists or ())
    except (ValueError, TypeError) as error:
        raise ModelError(f"the LightGBM model's pandas_categorical is broken: {error}") from None


def set_of(info: str) -> tuple[int, ...]:
    """The categories that a `feature_infos` entry lists (`3:0:7`); () for a range (`[0:1]`) or `none`."""
    return tuple(sorted({int(v) for v in info.split(":")})) if re.fullmatch(r"-?\d+(:-?\d+)*", info) else ()


def domain(text: str, features: Sequence[str]) -> Domain:
    """Thresholds (or category codes) of each feature that a tree splits on, and the features that route NaN apart."""
    found: dict[str, set[float]] = defaultdict(set)
    missing: set[str] = set()
    for tree in _trees(text):
        splits = [features[int(i)] for i in tree.get("split_feature", "").split()]
        kinds = [int(v) for v in tree.get("decision_type", "").split()] or [0] * len(splits)
        for name, kind, value in zip(splits, kinds, tree.get("threshold", "").split(), strict=True):
            found[name].update(_members(tree, int(float(value))) if kind & _CATEGORICAL else (float(value),))
            if kind & _MISSING_TYPE:
                missing.add(name)
    return Domain({name: tuple(sorted(_finite(values))) for name, values in found.items()}, frozenset(missing))


def _finite(values: set[float]) -> Iterator[float]:
    return (value for value in values if abs(value) < 1e300)


def _members(tree: Mapping[str, str], which: int) -> Iterator[int]:
    """The categories in a tree's bit set number `which`: 32 to a word, words between two boundaries."""
    bounds = [int(v) for v in tree["cat_boundaries"].split()]
    words = [int(v) for v in tree["cat_threshold"].split()][bounds[which] : bounds[which + 1]]
    return (32 * i + bit for i, word in enumerate(words) for bit in range(32) if word >> bit & 1)


def _trees(text: str) -> Iterator[dict[str, str]]:
    body = text[: text.rfind("\nend of trees")]
    for block in body.split("\nTree=")[1:]:
        yield dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
