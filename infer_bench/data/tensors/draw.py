"""Requests of a network, drawn from what is known of its inputs."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from infer_bench.data.table import stack
from infer_bench.data.tensors.shapes import ShapeTrial
from infer_bench.data.tensors.stacking import MOST_BYTES, chooses_branch
from infer_bench.data.tensors.values import ValueRule, choose_rule, draw_values, make_generator
from infer_bench.errors import UsageError
from infer_bench.formats.graph_uses import InputUse
from infer_bench.model import TensorInput
from infer_bench.report.common import DrawnInput
from infer_bench.request_choices import Fill, RequestChoices, Shape
from infer_bench.typing import Array, Columns

_TEXT_BYTES = 64


def split_shapes(choices: RequestChoices) -> list[dict[str, Shape]]:
    """The shapes of each kind of request, where an input is given several. Raises `UsageError` for unequal numbers."""
    counts = {name: len(shapes) for name, shapes in choices.shapes.items() if len(shapes) > 1}
    if len(set(counts.values())) > 1:
        numbers = ", ".join(f"{count} of {name}" for name, count in counts.items())
        raise UsageError(f"--shape gives {numbers}: nobody knows which belong together", "give each the same number")
    kinds = max(counts.values(), default=1)
    return [{name: shapes[i % len(shapes)] for name, shapes in choices.shapes.items()} for i in range(kinds)]


def list_inputs(inputs: Sequence[TensorInput], choices: RequestChoices) -> list[TensorInput]:
    """The inputs to draw: those without a default, and those chosen; all where each has one.

    Raises `UsageError` for names of no input.
    """
    names = [tensor.name for tensor in inputs]
    symbols = {size for tensor in inputs for size in tensor.shape or () if isinstance(size, str)}
    for option, by_name, names_of_model in (
        ("shape", choices.shapes, names),
        ("fill", choices.fills, names),
        ("dim", choices.sizes, sorted(symbols)),
    ):
        for name in by_name:
            if name not in names_of_model:
                what = "axis" if option == "dim" else "input"
                raise UsageError(
                    f"--{option}: the model has no {what} {name!r}", f"it has: {', '.join(names_of_model) or 'none'}"
                )
    required_inputs = [t for t in inputs if not t.optional or t.name in choices.shapes or t.name in choices.fills]
    return required_inputs or list(inputs)


def choose_rules(
    inputs: Sequence[TensorInput],
    uses: Mapping[str, InputUse],
    trial: ShapeTrial,
    fills: Mapping[str, Fill],
    guess: str = "",
) -> dict[str, ValueRule]:
    """The rule of each input. Raises `UsageError` for a fill that the input cannot hold."""
    return {
        tensor.name: choose_rule(
            tensor, uses.get(tensor.name, InputUse()), trial.shapes, inputs, fills.get(tensor.name), guess
        )
        for tensor in inputs
    }


def draw_requests(
    inputs: Sequence[TensorInput],
    trials: Sequence[ShapeTrial],
    rules: Sequence[Mapping[str, ValueRule]],
    count: int,
    seed: int,
) -> tuple[Columns, tuple[DrawnInput, ...]]:
    """At most `count` requests that take turns in the shapes of the trials, fewer where they would need more memory.

    An input that has no batch axis, beside others that have one, is the same in all requests, so that they can be
    stacked; but for a single truth value, by which requests are stacked apart, and for numbers that choose a branch.
    The same `seed` gives the same requests, also where there are fewer or more of them.
    """
    size = max(_count_bytes(inputs, trial) for trial in trials)
    count = max(len(trials), min(count, MOST_BYTES // max(size, 1)))
    columns = {}
    for tensor in inputs:
        generator = make_generator(seed, tensor.name)
        has_others = any(other.batch_axis is not None for other in inputs)
        is_shared = tensor.batch_axis is None and has_others
        parts = [
            draw_values(tensor, rule[tensor.name], trial.shapes[tensor.name], _share(count, i, len(trials)), generator)
            for i, (trial, rule) in enumerate(zip(trials, rules, strict=True))
        ]
        for part, rule in zip(parts, rules, strict=True) if is_shared else ():
            if not chooses_branch(tensor, part) and rule[tensor.name].kind != "branch":
                part[:] = part[:1].copy()
        columns[tensor.name] = _take_turns(parts, count)
    return columns, tuple(_describe(tensor, trials, rules[0]) for tensor in inputs)


def _share(count: int, place: int, kinds: int) -> int:
    """How many of `count` requests are of the kind at `place`, when they take turns."""
    return (count - place + kinds - 1) // kinds


def _take_turns(parts: Sequence[Array], count: int) -> Array:
    return parts[0] if len(parts) == 1 else stack([parts[i % len(parts)][i // len(parts)] for i in range(count)])


def _count_bytes(inputs: Sequence[TensorInput], trial: ShapeTrial) -> int:
    return sum(_item_bytes(tensor) * max(1, math.prod(trial.shapes[tensor.name])) for tensor in inputs)


def _item_bytes(tensor: TensorInput) -> int:
    return _TEXT_BYTES if tensor.dtype == "object" else np.dtype(tensor.dtype).itemsize


def _describe(tensor: TensorInput, trials: Sequence[ShapeTrial], rules: Mapping[str, ValueRule]) -> DrawnInput:
    shapes = tuple(dict.fromkeys(trial.shapes[tensor.name] for trial in trials))
    is_drawn = any(tensor.name in trial.unsized_inputs for trial in trials)
    return DrawnInput("", tensor.name, tensor.dtype, shapes, rules[tensor.name].reason, is_drawn)
