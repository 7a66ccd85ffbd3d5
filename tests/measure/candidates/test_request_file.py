"""A file of requests for a network that does not say how many axes one has."""

from pathlib import Path

import numpy as np
import pytest

from infer_bench.data.tensors.stacking import refuse_stacking
from infer_bench.errors import DataError, UsageError
from infer_bench.measure.candidates.fixed_batch import explain_batch
from infer_bench.measure.candidates.request_file import open_data
from infer_bench.measure.candidates.rows import refuse_shapes_of_rows
from infer_bench.model import Feature, ModelSpec, TensorInput
from infer_bench.request_choices import Fill, RequestChoices

INPUTS = (TensorInput("x", "float32", None),)


def test_a_file_that_is_one_long_request_says_so(tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", x=np.ones((7, 3, 8), np.float32))
    file = open_data(str(tmp_path / "rows.npz"))
    assert file is not None
    (notice,) = file.note_single(INPUTS, file.read_tensors(INPUTS))
    assert notice.message == "rows.npz is one request, as the model does not say how many axes one has: x:7x3x8"
    assert notice.hint == "--shape x:1x3x8 beside --data tells requests apart"
    choices = RequestChoices(shapes={"x": ((1, 3, 8),)})
    table = file.read_tensors(INPUTS, choices)
    assert (table.rows, file.note_single(INPUTS, table)) == (7, ())
    with pytest.raises(UsageError, match="--fill is of drawn requests"):
        file.read_tensors(INPUTS, RequestChoices(fills={"x": Fill()}))


def test_neither_a_single_one_nor_a_declared_rank_is_noted(tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", x=np.ones((1, 3, 8), np.float32))
    file = open_data(str(tmp_path / "rows.npz"))
    assert file is not None
    assert file.note_single(INPUTS, file.read_tensors(INPUTS)) == ()
    inputs = (TensorInput("x", "float32", (1, 3, 8)),)
    assert file.note_single(inputs, file.read_tensors(inputs)) == ()


def test_shapes_of_rows_are_refused() -> None:
    choices = RequestChoices(shapes={"x": ((1, 3, 8),)})
    with pytest.raises(UsageError, match="for networks"):
        refuse_shapes_of_rows(ModelSpec("raw", (Feature("a", "float"),), ("y",)), choices)
    refuse_shapes_of_rows(ModelSpec("raw", (), ("y",), inputs=INPUTS), choices)


def test_stacks_of_what_has_no_rank_are_given_by_their_shape() -> None:
    with pytest.raises(DataError, match="which axis counts requests") as caught:
        refuse_stacking(INPUTS)
    assert caught.value.hint == "use --batch 1, and --shape x:8x…"
    error = explain_batch(ModelSpec("raw", (), (), inputs=(*INPUTS, TensorInput("rate", "int64", ()))), 8)
    assert error is not None
    assert (error.message, error.hint) == (caught.value.message, caught.value.hint)
