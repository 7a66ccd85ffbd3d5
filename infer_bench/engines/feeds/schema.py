"""What the feeds share: the columns a model expects, and the checked way from a value to a number or a code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infer_bench.engines.base import Request
from infer_bench.errors import EngineError
from infer_bench.model import Feature, Label
from infer_bench.typing import Array, Floats

Codes = Mapping[Any, float]


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns that a model expects, in its order.

    `encoded` names the features whose values become codes (positions in `categories`); the other categories are fed as
    they are. `texts` names those that hold strings. `fill` stands in a column that the request lacks. `missing_texts`
    holds what a missing text of a column is to the model, None or NaN, where it knows but one of them.
    """

    features: tuple[Feature, ...]
    dtype: Any = np.float64
    fill: float = float("nan")
    refuse: bool = False
    encoded: frozenset[str] = frozenset()
    missing_texts: Mapping[str, float | None] = field(default_factory=dict)
    names: tuple[str, ...] = field(init=False)
    known: frozenset[str] = field(init=False)
    codes: Mapping[str, Codes] = field(init=False)
    texts: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        names = tuple(feature.name for feature in self.features)
        coded = [feature for feature in self.features if feature.name in self.encoded]
        object.__setattr__(self, "dtype", np.dtype(self.dtype))
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "known", frozenset(names))
        object.__setattr__(self, "codes", {feature.name: code_map(feature.categories) for feature in coded})
        object.__setattr__(self, "texts", frozenset(f.name for f in self.features if is_text(f)))


def is_text(feature: Feature) -> bool:
    """Whether a column holds text."""
    return feature.kind == "string" or (
        feature.kind == "category" and any(isinstance(value, str) for value in feature.categories)
    )


def make_schema(
    features: Sequence[Feature], options: Mapping[str, str], dtype: Any = np.float64, encoded: Sequence[str] = ()
) -> Schema:
    """The schema of a model under a candidate's `fill` and `unknown` options."""
    fill = 0.0 if options.get("fill") == "zero" else float("nan")
    return Schema(tuple(features), dtype, fill, options.get("unknown") == "refuse", frozenset(encoded))


def code_map(categories: Sequence[Label]) -> dict[Any, float]:
    """Category → code. A dict finds 1, 1.0, numpy's int64 1 and True alike, as pandas does."""
    return {value: float(code) for code, value in enumerate(categories)}


def is_table(request: Request) -> bool:
    """True for {column: 1-D array}, False for {column: scalar}."""
    for value in request.values():
        return isinstance(value, np.ndarray) and value.ndim > 0
    return False


def refuse_strangers(schema: Schema, request: Request) -> None:
    """Raise `EngineError` for a key that the model does not know, when the candidate asks for that."""
    if schema.refuse and not request.keys() <= schema.known:
        strangers = sorted(str(key) for key in request.keys() - schema.known)
        raise EngineError(f"the model does not know the column {strangers[0]!r}", "unknown=ignore leaves it out")


def require_known(schema: Schema, request: Request) -> None:
    """Raise `EngineError` when no column at all is one of the model's: the rows belong to another model."""
    if schema.known and schema.known.isdisjoint(request):
        columns, names = ", ".join(list(request)[:3]), ", ".join(schema.names[:3])
        raise EngineError(f"none of the columns ({columns}, …) is one of the model's ({names}, …)")


def number(name: str, value: Any) -> float:
    """`value` as a float; None and pandas' NA are NaN. Raises `EngineError` when it is no number."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return float("nan")
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise EngineError(f"column {name!r} holds {value!r}, which is no number") from None


def numbers(name: str, values: Array) -> Array:
    """A column as numbers (rows,); None is NaN. Raises `EngineError` when one is no number."""
    if values.dtype.kind in "fiub":
        return values
    return np.array([number(name, value) for value in values.tolist()], dtype=np.float64)


def encoded(name: str, values: Array, codes: Codes) -> Floats:
    """A column as category codes (rows,); NaN for what is missing or unknown."""
    try:
        return np.array([codes.get(value, np.nan) for value in values.tolist()], dtype=np.float64)
    except TypeError:
        raise EngineError(f"column {name!r} holds values that are no categories") from None
