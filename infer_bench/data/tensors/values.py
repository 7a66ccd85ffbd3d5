"""What an input's values may be where nobody gives them: the rules, and arrays that follow them."""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from infer_bench.errors import UsageError
from infer_bench.formats.graph_uses import InputUse
from infer_bench.formats.input_names import is_mask, is_state
from infer_bench.model import TensorInput
from infer_bench.request_choices import Fill, Shape
from infer_bench.typing import Array

_SEGMENTS = re.compile(r"(.*[_./])?(token_?type|segment|type)_?(ids?)?(:\d+)?", re.IGNORECASE)
_POSITIONS = re.compile(r"(.*[_./])?pos(ition)?s?_?(ids?|index(es)?)?(:\d+)?", re.IGNORECASE)
_LENGTH = re.compile(r"(?P<of>.*?)[_./]?(len|lens|length|lengths)(:\d+)?", re.IGNORECASE)
_STRETCHED = slice(3, None, 4)
GUESSES = ("", "zeros", "ones")
"""What whole numbers and truth values are of which nothing is known: drawn, and all the same where that is refused."""


Kind = Literal["", "uniform", "state", "mask", "length", "segment", "rows", "branch", "guess", "text"]
"""What may be drawn otherwise, too: see `variation.vary`."""


@dataclass(frozen=True, slots=True)
class ValueRule:
    """The values of an input, and in words where they are from.

    They are numbers from `low` to `high` (included where they are `whole`), `steps` along the last axis, or the `text`,
    or some of the `texts`; `first` stands before the others of the last axis, and `tail` in its last third. A `guess`
    is what nothing speaks for. `most` is the largest number that the model takes, where that is known; where numbers
    are `spread`, each comes as rarely as it can. They are the `numbers` alone where there are such, one after the
    other. Of `other_branches` the model makes something else. Every fourth request is `stretch` times as large.
    """

    reason: str
    low: float = 0.0
    high: float = 0.0
    steps: bool = False
    whole: bool = True
    text: str | None = None
    texts: tuple[str, ...] = ()
    guess: bool = False
    first: float | None = None
    kind: Kind = ""
    tail: float | None = None
    most: float | None = None
    spread: bool = False
    numbers: tuple[float, ...] = ()
    other_branches: tuple[float, ...] = ()
    stretch: float = 1.0

    @property
    def is_constant(self) -> bool:
        """Whether all requests get the same values."""
        return self.steps or self.low == self.high


def choose_rule(
    tensor: TensorInput,
    use: InputUse,
    shapes: Mapping[str, Shape],
    inputs: Sequence[TensorInput],
    fill: Fill | None = None,
    guess: str = "",
) -> ValueRule:
    """The first rule that fits an input, with the `shapes` of all. Raises `UsageError` for a `fill` of another kind."""
    if fill is not None:
        return _fill(tensor, fill)
    if tensor.dtype == "object":
        return _choose_text(use)
    use = use.within(shapes)
    has_others = any(other.name != tensor.name and not is_state(other.name) for other in inputs)
    if is_state(tensor.name) and has_others and use.high is None:
        return ValueRule("a state, empty at first", kind="state")
    if use.high is None:
        rule = _rule_of_others(tensor, use, shapes[tensor.name], guess)
        if rule is not None:
            return rule
    return _whole_numbers(tensor, use, shapes, inputs, guess)


def _choose_text(use: InputUse) -> ValueRule:
    if use.is_cast:
        return ValueRule("0 to 9 as text, which the model casts", 0, 9)
    if use.texts:
        return ValueRule("one of the texts that the model lists, or another", texts=(*use.texts, "a"))
    return ValueRule("text", text="a", kind="text")


def _rule_of_others(tensor: TensorInput, use: InputUse, shape: Shape, guess: str) -> ValueRule | None:
    """The rule for what is no position in anything; None for whole numbers that only their name may explain."""
    if use.constants and math.prod(shape) == 1:
        rule = constant_rule(use.constants[0], "which the model compares it with", "branch")
        return replace(rule, other_branches=_other_branches(use.constants, tensor.dtype))
    if use.operand and len(shape) < 2:
        return _operand(use, shape)
    if is_mask(tensor.name):
        return constant_rule(1, "a mask that hides nothing", "mask")
    if tensor.dtype == "bool":
        return _as_guess(guess, ValueRule("true or false", 0, 1, guess=True))
    is_float = np.dtype(tensor.dtype).kind == "f"
    return ValueRule("uniform in [0, 1)", 0, 1, whole=False, kind="uniform") if is_float else None


def _other_branches(constants: Sequence[float], dtype: str) -> tuple[float, ...]:
    """The numbers that an input is compared with after the first, and one that equals none of them."""
    numbers = dict.fromkeys([*constants, max(constants) + 1])
    limits = np.iinfo(dtype) if np.dtype(dtype).kind in "iu" else np.finfo(dtype)
    return tuple(number for number in list(numbers)[1:] if limits.min <= number <= limits.max)


def _whole_numbers(
    tensor: TensorInput, use: InputUse, shapes: Mapping[str, Shape], inputs: Sequence[TensorInput], guess: str
) -> ValueRule:
    shape = shapes[tensor.name]
    high = use.high
    if _SEGMENTS.fullmatch(tensor.name):
        return replace(constant_rule(use.low, "one segment", "segment"), most=high)
    if _POSITIONS.fullmatch(tensor.name) and shape:
        return ValueRule("positions 0, 1, 2, …", use.low, shape[-1] - 1 if high is None else high, steps=True)
    match = _LENGTH.fullmatch(tensor.name)
    if match:
        longest = _longest_axis(tensor, match["of"], shapes, inputs)
        return constant_rule(
            longest if high is None else min(longest, high), "the length of the longest axis", "length"
        )
    if high is not None:
        span = f"{use.low}" if use.low == high else f"{use.low} to {high}"
        return ValueRule(f"{span}, {use.reason}", use.low, high, kind="rows")
    limits = np.iinfo(tensor.dtype)
    if limits.bits == 8:
        return ValueRule(f"{limits.min} to {limits.max}", limits.min, limits.max)
    rule = ValueRule("0 or 1, as the model does not say what it holds", 0, 1, guess=True, kind="guess")
    return _as_guess(guess, rule)


def constant_rule(value: float, reason: str, kind: Kind = "") -> ValueRule:
    """The same number everywhere."""
    return ValueRule(f"{value:g}, {reason}", value, value, kind=kind)


def _as_guess(guess: str, rule: ValueRule) -> ValueRule:
    if not guess:
        return rule
    value = float(guess == "ones")
    return ValueRule(f"{guess}, as the model does not say what it holds", value, value, guess=True)


def _operand(use: InputUse, shape: Shape) -> ValueRule:
    reason = f"{use.operand_value}, as it says how {use.operand} changes another tensor"
    first = -1.0 if use.operand == "Reshape" and shape else None
    return ValueRule(reason, use.operand_value, use.operand_value, first=first)


def _fill(tensor: TensorInput, fill: Fill) -> ValueRule:
    if tensor.dtype == "object":
        return ValueRule("--fill", text=fill.text if fill.text is not None else f"{fill.low:g}")
    kind = np.dtype(tensor.dtype).kind
    is_whole = float(fill.low).is_integer() and float(fill.high).is_integer()
    if (fill.text is not None and not _is_number(fill.text)) or (kind in "iub" and not is_whole):
        raise UsageError(f"--fill {tensor.name}={fill.text or fill.low} is not what the input {tensor} holds")
    limits = (
        (0, 1) if kind == "b" else (np.iinfo(tensor.dtype).min, np.iinfo(tensor.dtype).max) if kind in "iu" else None
    )
    if limits and not limits[0] <= fill.low <= fill.high <= limits[1]:
        raise UsageError(f"--fill {tensor.name}: {tensor.dtype} holds {limits[0]} to {limits[1]}")
    return ValueRule("--fill", fill.low, fill.high, whole=kind != "f")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _longest_axis(tensor: TensorInput, stem: str, shapes: Mapping[str, Shape], inputs: Sequence[TensorInput]) -> int:
    """The longest free axis of the input that the name speaks of, or of any; of fixed ones where none is free."""
    others = [other for other in inputs if other.name != tensor.name and not is_state(other.name)]
    owners = [other for other in others if stem and (other.name.startswith(stem) or stem in other.name)] or others
    axes = [
        (isinstance(fixed, int), size)
        for other in owners
        for place, (fixed, size) in enumerate(zip(other.shape or shapes[other.name], shapes[other.name], strict=True))
        if place != other.batch_axis
    ]
    free = [size for is_fixed, size in axes if not is_fixed]
    return max(free or [size for _, size in axes], default=1)


def make_generator(seed: int, name: str) -> np.random.Generator:
    """The source of an input's numbers: of its name, so that another order of inputs changes nothing."""
    words = np.frombuffer(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:16], dtype="<u4")
    return np.random.default_rng([seed, *words.tolist()])


def draw_values(
    tensor: TensorInput, rule: ValueRule, shape: Shape, count: int, generator: np.random.Generator
) -> Array:
    """(count, *shape) of the input's dtype. The first requests are the same for any `count`."""
    whole = (count, *shape)
    if rule.texts:
        return np.array(rule.texts, dtype=object)[spread_numbers(0, len(rule.texts) - 1, whole, generator)]
    if rule.text is not None:
        return np.full(whole, rule.text, dtype=object)
    dtype = np.dtype(tensor.dtype)
    if dtype.kind == "O":
        return generator.integers(int(rule.low), int(rule.high), whole, endpoint=True).astype(str).astype(object)
    if rule.steps:
        steps = np.minimum(np.arange(shape[-1]) + rule.low, rule.high)
        return np.broadcast_to(steps, whole).astype(dtype)
    if rule.numbers:
        return np.asarray(np.resize(rule.numbers, whole).astype(dtype))
    if rule.low == rule.high:
        values = np.full(whole, rule.low, dtype=dtype)
        if rule.first is not None and shape:
            values[..., 0] = rule.first
        if rule.tail is not None and shape:
            values[..., shape[-1] - shape[-1] // 3 :] = rule.tail
        return values
    if rule.spread:
        return spread_numbers(int(rule.low), int(rule.high), whole, generator).astype(dtype)
    if rule.whole:
        return generator.integers(int(rule.low), int(rule.high), whole, endpoint=True).astype(dtype)
    values = generator.random(whole, dtype=np.float32 if dtype.itemsize <= 4 else np.float64)
    if (rule.low, rule.high) != (0, 1):
        values = values * (rule.high - rule.low) + rule.low
    if rule.stretch != 1:
        values[_STRETCHED] *= rule.stretch
    return values.astype(dtype, copy=False)


def spread_numbers(low: int, high: int, shape: Shape, generator: np.random.Generator) -> Array:
    """Whole numbers of which the ends come first, then those between them, each as rarely as it can."""
    count, between = math.prod(shape), high - low - 1
    if between <= 0:
        order = np.arange(low, high + 1)
    elif between > count:
        order = np.concatenate([[low, high], low + 1 + generator.choice(between, count, replace=False)])
    else:
        order = np.concatenate([[low, high], low + 1 + generator.permutation(between)])
    return np.asarray(np.resize(order, count).reshape(shape))
