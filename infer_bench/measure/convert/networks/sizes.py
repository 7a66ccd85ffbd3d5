"""Other sizes of a network's free axes than those that were drawn, in which a conversion is compared too. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from infer_bench.data.tensors.formulas import evaluate, list_symbols
from infer_bench.model import TensorInput
from infer_bench.request_choices import Shape

_MOST_BASE = 4096
_STEPS = ((2, "as drawn"), (3, "longer"), (1, "half"), (2, "double"))
"""How many requests are stacked, and what the other axes are."""


@dataclass(frozen=True, slots=True)
class FreeAxis:
    """A size that a symbol names, wherever it stands; `is_batch` where requests are stacked along it."""

    symbol: str
    size: int
    is_batch: bool


def find_free_axes(inputs: Sequence[TensorInput], shapes: Mapping[str, Shape]) -> list[FreeAxis]:
    """The symbols of the inputs, with the sizes that they have in these shapes."""
    axes: dict[str, FreeAxis] = {}
    for tensor, place, text in _named_axes(inputs):
        for symbol in list_symbols(text):
            size = _solve(text, symbol, shapes[tensor.name][place])
            if size is not None:
                is_batch = place == tensor.batch_axis or (symbol in axes and axes[symbol].is_batch)
                axes[symbol] = FreeAxis(symbol, size, is_batch)
    return list(axes.values())


def _named_axes(inputs: Sequence[TensorInput]) -> Iterator[tuple[TensorInput, int, str]]:
    for tensor in inputs:
        for place, size in enumerate(tensor.shape or ()):
            if isinstance(size, str):
                yield tensor, place, size


def _solve(formula: str, symbol: str, size: int) -> int | None:
    """The symbol's size that gives the formula this one; None where other symbols have a part in it."""
    if formula == symbol:
        return size
    return next((value for value in range(1, _MOST_BASE) if evaluate(formula, {symbol: value}) == size), None)


def list_other_sizes(inputs: Sequence[TensorInput], axes: Sequence[FreeAxis]) -> list[dict[str, int]]:
    """Sizes by symbol, and by formula, to be tried in this order; none where nothing is free."""
    variants: list[dict[str, int]] = []
    for batch, step in _STEPS:
        sizes = {axis.symbol: batch if axis.is_batch else _change(axis.size, step, i) for i, axis in enumerate(axes)}
        formulas = {text: evaluate(text, sizes) for _, _, text in _named_axes(inputs)}
        variant = {**sizes, **{text: size for text, size in formulas.items() if size is not None}}
        if variant not in variants and any(variant[axis.symbol] != axis.size for axis in axes):
            variants.append(variant)
    return variants


def _change(size: int, step: str, place: int) -> int:
    """Longer: each axis, by its place, by another length, so that one cannot stand for another."""
    return {"longer": size + 1 + place, "half": max(1, size // 2), "double": 2 * size}.get(step, size)


def name_sizes(inputs: Sequence[TensorInput], shapes: Mapping[str, Shape], drawn: Mapping[str, Shape]) -> str:
    """`image 2x3x225x225`: the first input whose shape is not the one that was drawn at first."""
    names = [tensor.name for tensor in inputs if shapes[tensor.name] != drawn[tensor.name]]
    name = names[0] if names else inputs[0].name
    return f"{name} {'x'.join(map(str, shapes[name]))}"


def find_unvaried(axes: Sequence[FreeAxis], variants: Sequence[Mapping[str, int]]) -> list[FreeAxis]:
    """The axes that have one size only in all variants that ran."""
    return [axis for axis in axes if all(variant[axis.symbol] == axis.size for variant in variants)]
