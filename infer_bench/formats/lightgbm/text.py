"""LightGBM's text format: what stands in a model file, and that it holds together.

LightGBM's parser aborts the process on a broken file, so everything it believes is checked. The keys are those that
LightGBM writes (`src/boosting/gbdt_model_text.cpp`, `src/io/tree.cpp`) in the format's versions v2 to v4, which it
reads alike.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infer_bench.errors import ModelError
from infer_bench.formats.lightgbm.columns import Fields
from infer_bench.formats.lightgbm.trees import Trees, check_statistics, read_trees
from infer_bench.formats.numbers import parse_integer
from infer_bench.model import Label

_MOST_CLASSES = 1 << 24
VERSIONS = ("v2", "v3", "v4")
_KEYS = frozenset(
    {"tree", "version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective"}
    | {"average_output", "feature_names", "monotone_constraints", "feature_infos", "tree_sizes"}
)
_OPTIONS = frozenset({"sqrt", "sigmoid", "num_class"})
_RANGE = re.compile(r"none|\[[^\[\]:]+:[^\[\]:]+\]|-?\d+(:-?\d+)*")
_PARAMETER = re.compile(rb"\[[^\s:]+: .*\]")


@dataclass(frozen=True, slots=True)
class Header:
    """What a model file says before its first tree and after its last.

    `objective` is the first word of its line, "" where there is none; `options` the rest (`sigmoid:2`). `average`: the
    trees' mean counts, not their sum. `categorical` are the indices of the features that split on sets;
    `pandas_categories` the lists of the training's pandas columns, in column order, None of a training on arrays.
    `unknown` names the fields (and the
    version) that this reader does not know.
    """

    version: str
    objective: str
    options: Mapping[str, str]
    average: bool
    per_iteration: int
    classes: int
    features: tuple[str, ...]
    ranges: tuple[str, ...]
    categorical: tuple[int, ...]
    pandas_categories: tuple[tuple[Label, ...], ...] | None
    unknown: tuple[str, ...] = field(default=())

    @property
    def unnamed(self) -> bool:
        """Whether LightGBM made the features' names up, as it does for arrays: `Column_0`, `Column_1`, …"""
        return self.pandas_categories is None and self.features == tuple(
            f"Column_{i}" for i in range(len(self.features))
        )

    def pandas_columns(self) -> dict[int, tuple[Label, ...]]:
        """Each column that pandas encoded, with its categories: the file lists them without names, in column order.

        Raises `ModelError` where it cannot be told which is which.
        """
        if not self.pandas_categories:
            return {}
        if len(self.pandas_categories) != len(self.categorical):
            raise _cannot_assign(
                f"the model was trained on {len(self.pandas_categories)} pandas categories and splits on "
                f"{len(self.categorical)}"
            )
        columns = dict(zip(self.categorical, self.pandas_categories, strict=True))
        for index, values in columns.items():
            self._refuse_codes(index, len(values))
        return columns

    def _refuse_codes(self, index: int, count: int) -> None:
        """Raise `ModelError` where a column's codes are not positions among `count` categories, but another's may be.

        Of a column of pandas categories that is not named in `categorical_feature` the codes count as numbers, and one
        of whole numbers that is named has no categories: the file lists as many as in the usual case.
        """
        codes = [code for code in self.observed_categories(index) if code >= 0]
        numbers = [entry for i, entry in enumerate(self.ranges) if i not in self.categorical]
        has_rival = f"[0:{count - 1}]" in numbers
        if max(codes, default=0) >= count or (2 < count > len(codes) and has_rival):
            raise _cannot_assign(
                f"the model was trained on pandas categories and {self.features[index]!r} does not seem to be the "
                f"column that has these {count}"
            )

    def observed_categories(self, feature: int) -> tuple[int, ...]:
        """The codes that training saw in a categorical feature; () where the file does not list them."""
        return _codes(self.ranges[feature]) if feature < len(self.ranges) else ()


@dataclass(frozen=True, slots=True, eq=False)
class LightGBMModel:
    """A model file: its header, its trees, and every field that this reader does not know."""

    header: Header
    trees: Trees

    @property
    def unknown(self) -> tuple[str, ...]:
        """The fields of the header and of the trees that this reader does not know."""
        return self.header.unknown + self.trees.unknown


def _cannot_assign(reason: str) -> ModelError:
    return ModelError(
        f"{reason}: which column has which categories is not in the file",
        "train with unordered pandas categories and categorical_feature='auto'",
    )


def check_lightgbm(file: Path) -> None:
    """Raises `ModelError` when the file is truncated or its trees do not hold together."""
    check_text(file.read_bytes(), file.name)


def check_text(text: bytes, name: str = "the file") -> None:
    """The same for a model's text, statistics included, which no prediction needs but LightGBM's parser reads."""
    _read_model(text, name, statistics=True)


def read_lightgbm_text(text: bytes, name: str = "the text") -> LightGBMModel:
    """The model that `text` holds. Raises `ModelError` when it is truncated or does not hold together."""
    return _read_model(text, name, statistics=False)


def read_header(text: bytes, name: str = "the text") -> Header:
    """The header alone. Raises `ModelError` when it is broken."""
    try:
        head, _, tail = _sections(text)
        return _header(head, tail)
    except ValueError as error:
        raise _broken(name, error) from None


def _read_model(text: bytes, name: str, *, statistics: bool) -> LightGBMModel:
    try:
        head, blocks, tail = _sections(text)
        header = _header(head, tail)
        if len(blocks) % header.per_iteration:
            raise ValueError(f"it has {len(blocks)} trees, not a multiple of {header.per_iteration} an iteration")
        if header.classes != header.per_iteration or header.classes > _MOST_CLASSES:
            raise ValueError(f"it has {header.classes} classes and {header.per_iteration} trees an iteration")
        fields = [_tree_fields(block, tree) for tree, block in enumerate(blocks)]
        trees = read_trees(fields, len(header.features))
        if statistics:
            check_statistics(fields, trees.leaves)
    except (ValueError, OverflowError) as error:
        raise _broken(name, error) from None
    return LightGBMModel(header, trees)


def _broken(name: str, error: Exception) -> ModelError:
    return ModelError(f"{name} is a broken LightGBM model: {error}", "copy the file again, or save the model again")


def _sections(text: bytes) -> tuple[Fields, list[bytes], bytes]:
    """The header's fields, a block a tree, and what follows the trees."""
    if b"\r" in text:
        raise ValueError("its line ends were changed to CRLF, or a line holds a CR, which LightGBM cannot read")
    if b"\0" in text:  # LightGBM's reader never gets past one
        raise ValueError("it holds zero bytes: it was damaged, or is not text")
    if not text.startswith(b"tree\n"):
        raise ValueError("it does not begin as one")
    body, end, tail = text.partition(b"\nend of trees")
    if not end:
        raise ValueError("it is truncated: 'end of trees' is missing")
    if b"\nTree=" in tail:
        raise ValueError("a tree stands behind its 'end of trees'")
    head, *blocks = body.split(b"\nTree=")
    fields = _fields(head.split(b"\n"))
    if b"tree_sizes" in fields:
        _check_sizes(fields[b"tree_sizes"].split(), [len(b"Tree=\n") + len(block) for block in blocks])
    for index, block in enumerate(blocks):
        if not block.startswith(b"%d\n" % index) and block != b"%d" % index:
            number = block.split(b"\n", 1)[0]
            there = f"Tree={number.decode('utf-8', 'replace')}"[:40]
            raise ValueError(f"tree {index} is missing: {there!r} stands in its place")
    return fields, blocks, tail


def _fields(lines: Sequence[bytes]) -> Fields:
    try:
        fields = dict([line.split(b"=", 1) for line in lines])
    except ValueError:  # a line without a value
        fields = {key: value for key, _, value in (line.partition(b"=") for line in lines)}
    fields.pop(b"", None)
    return fields


def _tree_fields(block: bytes, tree: int) -> Fields:
    """LightGBM stops reading a tree at an empty line, and all trees where another line than the next tree's follows."""
    lines = block.split(b"\n")[1:]
    end = lines.index(b"") if b"" in lines else len(lines)
    fields, rest = _fields(lines[:end]), [line for line in lines[end:] if line]
    if fields and rest:
        raise ValueError(
            f"{rest[0].decode('utf-8', 'replace')[:40]!r} stands behind tree {tree}, where LightGBM stops reading"
        )
    return fields


def _check_sizes(announced: Sequence[bytes], sizes: Sequence[int]) -> None:
    if len(announced) != len(sizes):
        raise ValueError(f"its header announces {len(announced)} trees and {len(sizes)} are there")
    for index, (size, real) in enumerate(zip(map(parse_integer, announced), sizes, strict=True)):
        last = index == len(sizes) - 1
        if size != real and not (last and size <= real + 1):
            raise ValueError(f"tree {index} has {real} bytes where the header announces {size}: it was changed")


def _header(fields: Fields, tail: bytes) -> Header:
    text = {key.decode(): value.decode() for key, value in fields.items()}
    features = tuple(name for name in _value(text, "feature_names").split(" ") if name)
    classes, per_iteration = _whole(text, "num_class"), _whole(text, "num_tree_per_iteration")
    count = _whole(text, "max_feature_idx") + 1
    if count < 1 or per_iteration < 1 or classes < 1:
        raise ValueError("its header counts no feature, class or tree")
    if len(features) != count:
        raise ValueError(f"its header names {len(features)} features and counts {count}")
    if "objective" in text and not text["objective"].strip():
        raise ValueError("its header names no objective where one is due")
    ranges = tuple(text.get("feature_infos", "").split())
    if any(_RANGE.fullmatch(entry) is None for entry in ranges):
        raise ValueError("its feature_infos are broken")
    objective, *words = text.get("objective", "").split() or [""]
    options = dict(word.partition(":")[::2] for word in words)
    return Header(
        version=text.get("version", ""),
        objective=objective,
        options=options,
        average="average_output" in text,
        per_iteration=per_iteration,
        classes=classes,
        features=features,
        ranges=ranges,
        categorical=_categorical(tail, ranges, count),
        pandas_categories=_tail(tail),
        unknown=tuple(_unknown(text, options)),
    )


def _value(fields: Mapping[str, str], key: str) -> str:
    if key not in fields:
        raise ValueError(f"its header lacks {key}")
    return fields[key]


def _whole(fields: Mapping[str, str], key: str) -> int:
    return parse_integer(_value(fields, key))


def _unknown(fields: Mapping[str, str], options: Mapping[str, str]) -> Iterator[str]:
    if fields.get("version") not in VERSIONS:
        yield f"version={fields.get('version', '')}"[:40]
    yield from (f"the header's {key[:40]!r}" for key in fields if key not in _KEYS)
    yield from (f"the objective's {name[:40]!r}" for name in options if name not in _OPTIONS)


def _categorical(tail: bytes, ranges: Sequence[str], count: int) -> tuple[int, ...]:
    line = re.search(rb"^\[categorical_feature: ([\d,]+)\]$", tail, re.MULTILINE)
    indices = {int(index) for index in line.group(1).split(b",") if index} if line else set()
    indices |= {index for index, entry in enumerate(ranges) if _codes(entry)}
    return tuple(sorted(index for index in indices if index < count))


def _codes(entry: str) -> tuple[int, ...]:
    """The categories that a `feature_infos` entry lists (`3:0:7`); () for a range (`[0:1]`) or `none`."""
    return tuple(sorted({int(code) for code in entry.split(":")})) if re.fullmatch(r"-?\d+(:-?\d+)*", entry) else ()


def _tail(tail: bytes) -> tuple[tuple[Label, ...], ...] | None:
    """The category lists of what follows the trees, where the parameters end and the lists are whole; None for none."""
    if b"\nparameters:" in tail:
        listing, end, _ = tail.partition(b"\nparameters:")[2].partition(b"\nend of parameters")
        if not end:
            raise ValueError("it is truncated: 'end of parameters' is missing")
        _check_parameters(listing)
    mark = tail.rfind(b"\npandas_categorical:")
    if mark < 0:
        return None
    try:
        lists = json.loads(tail[mark:].split(b":", 1)[1])
        return None if lists is None else tuple(tuple(values) for values in lists)
    except (ValueError, TypeError, RecursionError):
        raise ValueError("it is truncated: pandas_categorical is not whole") from None


def _check_parameters(listing: bytes) -> None:
    """Each line is `[name: value]`; LightGBM crashes on others."""
    for line in listing.split(b"\n"):
        if line and _PARAMETER.fullmatch(line) is None:
            raise ValueError(f"{line.decode('utf-8', 'replace')[:40]!r} stands where a parameter is due")
