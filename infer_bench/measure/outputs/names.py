"""Which inputs and outputs of two networks belong together: by their names, and where these are others, by place."""

from collections.abc import Mapping, Sequence

from infer_bench.data.table import Table
from infer_bench.errors import DataError
from infer_bench.model import TensorInput
from infer_bench.typing import Columns


def pair_names(reference: Sequence[str], candidate: Sequence[str]) -> dict[str, str]:
    """The candidate's names, each with the reference's for the same thing; its own where the reference has no such.

    With none in common and as many of one as of the other, they are paired in order.
    """
    if not set(reference) & set(candidate) and len(reference) == len(candidate):
        return dict(zip(candidate, reference, strict=True))
    return {name: name for name in candidate}


def rename_outputs(outputs: Columns, names: Mapping[str, str]) -> Columns:
    """Outputs under the reference's names; parts of a sequence, `name[0]`, keep their places."""
    return {_rename(name, names): column for name, column in outputs.items()}


def _rename(name: str, names: Mapping[str, str]) -> str:
    if name in names:
        return names[name]
    head, bracket, rest = name.partition("[")
    return f"{names.get(head, head)}{bracket}{rest}"


def columns_of(
    table: Table, inputs: Sequence[TensorInput], reference: Sequence[TensorInput], name: str, of: str = "the reference"
) -> Columns:
    """The requests, made for the `reference` inputs `of` another, under the names of the network `name` of `inputs`.

    A function that says nothing of its inputs is handed all of them. Raises `DataError` where they do not fit.
    """
    if not inputs or table.names == tuple(tensor.name for tensor in inputs):
        return table.columns
    pairs = pair_names([tensor.name for tensor in reference], [tensor.name for tensor in inputs])
    missing = [t.name for t in inputs if pairs[t.name] not in table.columns and not t.optional]
    if missing:
        takes, others = ", ".join(map(str, inputs)), ", ".join(map(str, reference))
        raise DataError(f"{name} takes other inputs than {of}: {takes}; {others}")
    return {t.name: table.columns[pairs[t.name]] for t in inputs if pairs[t.name] in table.columns}
