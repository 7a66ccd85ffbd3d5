"""One reading of a file of requests for networks that are compared, of which some do not say how many axes one has."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from infer_bench.measure.outputs.names import pair_names
from infer_bench.model import TensorInput
from infer_bench.request_choices import RequestChoices, Shape

Inputs = tuple[TensorInput, ...]


def settle_ranks(inputs: Inputs, others: Sequence[Inputs], choices: RequestChoices) -> tuple[Inputs, RequestChoices]:
    """The inputs as a file is read for them, and what the `choices` say of them.

    An input without a rank that the choices leave out has the shape of the `others`' input of its name, or of its place
    where no name is shared. Shapes of the others' inputs are left out where these have no rank themselves.
    """
    own = _choices_for(inputs, others, choices)
    by_name: dict[str, TensorInput] = {}
    for other in (_declare(other, choices.shapes) for other in others):
        pairs = pair_names([tensor.name for tensor in other], [tensor.name for tensor in inputs])
        tensors_with_rank = {tensor.name: tensor for tensor in other if tensor.shape is not None}
        for name, theirs in pairs.items():
            if theirs in tensors_with_rank:
                by_name.setdefault(name, tensors_with_rank[theirs])
    return tuple(_take_rank(tensor, own, by_name.get(tensor.name)) for tensor in inputs), own


def _choices_for(inputs: Inputs, others: Sequence[Inputs], choices: RequestChoices) -> RequestChoices:
    """Without the shapes of others' inputs, unless one of the shapes has no effect on anybody: who reads says so."""
    free = {tensor.name for group in (inputs, *others) for tensor in group if tensor.shape is None}
    if not choices.shapes or not set(choices.shapes) <= free:
        return choices
    names = {tensor.name for tensor in inputs if tensor.shape is None}
    return replace(choices, shapes={name: shapes for name, shapes in choices.shapes.items() if name in names})


def _declare(inputs: Inputs, shapes: Mapping[str, tuple[Shape, ...]]) -> Inputs:
    """The inputs with the shapes that were given of those without a rank."""
    return tuple(
        replace(tensor, shape=shapes[tensor.name][0]) if tensor.shape is None and tensor.name in shapes else tensor
        for tensor in inputs
    )


def _take_rank(tensor: TensorInput, choices: RequestChoices, other: TensorInput | None) -> TensorInput:
    if tensor.shape is not None or tensor.name in choices.shapes or other is None:
        return tensor
    return replace(tensor, shape=other.shape, batch_axis=other.batch_axis)
