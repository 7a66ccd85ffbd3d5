"""What is to be said where two networks that are compared do not take the same inputs."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from infer_bench.measure.outputs.names import pair_names
from infer_bench.model import TensorInput
from infer_bench.report.common import Notice

CODE = "other-inputs"
_MOST = 5


def note_inputs(
    inputs: Sequence[TensorInput], reference: Sequence[TensorInput], fed: Collection[str], name: str
) -> Iterator[Notice]:
    """Of the network `name`, which takes `inputs`: those that one side alone has, and how it is fed.

    `fed` are the reference's inputs that requests hold. Nothing is said of a function, which is handed all of them.
    """
    if not inputs or not reference:
        return
    pairs = _pair(inputs, reference, fed)
    lacking = [tensor.name for tensor in reference if tensor.name not in pairs.values()]
    ignored, default = [n for n in lacking if n in fed], [n for n in lacking if n not in fed]
    extra = [tensor.name for tensor in inputs if tensor.name not in pairs]
    if ignored:
        yield Notice(
            CODE, f"{name} has no input {_list(ignored)}: it answered without what the reference was fed there"
        )
    if default:
        yield Notice(CODE, f"{name} has no input {_list(default)}, of which the reference took the default")
    if extra:
        yield Notice(CODE, f"{name} has the input {_list(extra)} beside the reference's, and took the default of it")
    others = [f"{own} as {theirs}" for own, theirs in pairs.items() if own != theirs]
    if len(others) > 1:  # a single one can be no other
        listing = ", ".join(others[:_MOST]) + (", …" if len(others) > _MOST else "")
        yield Notice("by-position", f"{name} calls its inputs otherwise, and they were fed in order: {listing}")


def _pair(inputs: Sequence[TensorInput], reference: Sequence[TensorInput], fed: Collection[str]) -> Mapping[str, str]:
    """The network's inputs that the reference has, too, with the names that it gives them."""
    names, theirs = [tensor.name for tensor in inputs], [tensor.name for tensor in reference]
    required = [tensor.name for tensor in inputs if not tensor.optional]
    if not set(names) & set(theirs) and len(names) != len(theirs) and len(required) == len(fed):
        return dict(zip(required, fed, strict=True))
    return {own: other for own, other in pair_names(theirs, names).items() if other in theirs}


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:_MOST])) + (", …" if len(names) > _MOST else "")
