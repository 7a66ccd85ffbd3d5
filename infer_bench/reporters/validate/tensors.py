"""What is said of the outputs of a network: a line an output, and a sentence for each that differs. Pure."""

from collections.abc import Mapping, Sequence

from infer_bench.report.validate import OutputDelta, TensorDelta, ValidateGroup
from infer_bench.reporters.text import numbers
from infer_bench.reporters.text.rounding import format_multiple

MOST_OUTPUTS = 12
"""So many outputs of a group are shown, those that differ first."""
_LONGEST_NAME = 40
TITLES = {"n": "n", "max": "max |Δ|", "share": "÷ largest", "rms": "RMS"}


def are_tensors(groups: Sequence[ValidateGroup]) -> bool:
    """Whether the groups are requests to a network that is fed by tensors."""
    return any(output.tensor is not None for group in groups for output in group.outputs)


OBSTACLES = {
    "unequal": ("value differs that is compared exactly", "values differ that are compared exactly"),
    "size": ("output differs in size", "outputs differ in size"),
    "missing": ("output is missing", "outputs are missing"),
}
"""What no tolerance mends, of one and of several."""


def count_obstacles(groups: Sequence[ValidateGroup]) -> dict[str, int]:
    """How many of each of `OBSTACLES` there are."""
    outputs = [output.tensor for group in groups for output in group.outputs if output.tensor]
    return {
        "unequal": sum(tensor.unequal for tensor in outputs),
        "size": sum(tensor.candidate_shape is not None for tensor in outputs),
        "missing": sum(len(group.missing_outputs) for group in groups),
    }


def are_exact(groups: Sequence[ValidateGroup]) -> bool:
    """Whether no output has numbers that rounding may move."""
    outputs = [output.tensor for group in groups for output in group.outputs]
    return bool(outputs) and all(tensor is not None and tensor.exact for tensor in outputs)


def fill_lines(group: ValidateGroup) -> list[tuple[str, Mapping[str, str]]]:
    """The outputs, those that differ first, and how many more there are."""
    order = sorted(group.outputs, key=lambda output: (not output.failing, -_ratio(output)))
    lines = [(name_output(output), _fill(output)) for output in order[:MOST_OUTPUTS] if output.tensor]
    more = len(order) - MOST_OUTPUTS
    return [*lines, (f"and {numbers.plural(more, 'more output')}", {})] if more > 0 else lines


def name_output(output: OutputDelta) -> str:
    """Such as `logits float32 1×1000`; other requests may give other sizes: `boxes float32 1×17×4, …`."""
    name = output.output if len(output.output) <= _LONGEST_NAME else f"{output.output[: _LONGEST_NAME - 1]}…"
    tensor = output.tensor
    if tensor is None:
        return name
    return f"{name} {tensor.dtype} {format_shape(tensor.shape)}{', …' if tensor.varies else ''}"


def format_shape(shape: Sequence[int]) -> str:
    """`1×3×224×224`; of no axes `scalar`."""
    return "×".join(map(str, shape)) if shape else "scalar"


def _fill(output: OutputDelta) -> Mapping[str, str]:
    tensor = output.tensor
    assert tensor is not None  # only such outputs have a line
    cells = {
        "labels": numbers.MISSING if tensor.label_changes is None else numbers.count(tensor.label_changes),
        "nonfinite": numbers.count(output.non_finite_mismatches),
        "rounding": format_multiple(tensor.rounding),
        "verdict": _judge(output, tensor),
    }
    if tensor.dtype == "text":
        return cells
    return cells | {
        "max": numbers.delta(output.max_abs_delta),
        "share": numbers.delta(output.max_abs_delta / tensor.largest) if tensor.largest else numbers.MISSING,
        "rms": numbers.delta(output.rmse),
    }


def _judge(output: OutputDelta, tensor: TensorDelta) -> str:
    if output.failing:
        return "DIFFERENT"
    if tensor.exact or (output.max_abs_delta == 0 and tensor.largest is not None):
        return "ties" if tensor.ties else "equal"
    rounding = tensor.rounding
    return "rounds more" if rounding and rounding.ratio > rounding.same_up_to else "ok"


def _ratio(output: OutputDelta) -> float:
    rounding = output.tensor.rounding if output.tensor else None
    return rounding.ratio if rounding else 0.0


def explain(group: ValidateGroup) -> list[str]:
    """A sentence for each output of the group that differs, and for those that are missing."""
    sentences = [f"The candidate gives no output {name}." for name in group.missing_outputs]
    return [
        *sentences,
        *(_explain(output, output.tensor) for output in group.outputs if output.failing and output.tensor),
    ]


def _explain(output: OutputDelta, tensor: TensorDelta) -> str:
    parts = []
    if tensor.candidate_dtype:
        parts.append(f"is {tensor.candidate_dtype} where the reference gives {tensor.dtype}")
    if tensor.candidate_shape is not None and tensor.unlike_request is not None:
        sizes = f"{format_shape(tensor.candidate_shape)} where the reference gives {format_shape(tensor.shape)}"
        parts.append(f"is {sizes} in request {numbers.count(tensor.unlike_request)}")
    if tensor.unequal:
        differ = "value differs" if tensor.unequal == 1 else "values differ"
        parts.append(f"{numbers.count(tensor.unequal)} {differ}")
    if output.non_finite_mismatches:
        number = numbers.plural(output.non_finite_mismatches, "value is", "values are")
        parts.append(f"{number} NaN or infinite on one side")
    clear = (tensor.label_changes or 0) - tensor.label_ties
    if clear:
        parts.append(f"the largest score is another one's at {numbers.plural(clear, 'place')}")
    rounding = tensor.rounding
    if rounding and rounding.ratio > rounding.different_from:
        parts.append(
            f"the error is {format_multiple(rounding)} what {'it' if rounding.of_candidate else 'the reference'} rounds"
        )
    elif not parts:
        parts.append(f"one value or more is off by up to {numbers.delta(output.max_abs_delta)}")
    return f"{name_output(output)}: {'; '.join(parts)}."
