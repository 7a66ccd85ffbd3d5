"""One reading of a file for networks of which some do not say how many axes a request has."""

from pathlib import Path

import numpy as np

from infer_bench.measure.candidates.request_file import open_data
from infer_bench.measure.candidates.request_ranks import settle_ranks
from infer_bench.measure.candidates.rows import Rows, read_rows
from infer_bench.measure.candidates.unlike_requests import describe_unlike, mark_unlike
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelSpec, TensorInput
from infer_bench.request_choices import RequestChoices

RANKED = (TensorInput("x", "float32", ("n", 3, 4), 0),)
FREE = (TensorInput("x", "float32", None),)
OTHER = (TensorInput("other", "float32", None),)
NONE = RequestChoices()


def spec_of(inputs: tuple[TensorInput, ...]) -> ModelSpec:
    return ModelSpec("raw", (), ("y",), inputs=inputs)


def test_a_rank_is_that_of_the_input_of_the_same_name_or_else_place() -> None:
    assert settle_ranks(FREE, [RANKED], NONE) == (RANKED, NONE)
    ((tensor,), _) = settle_ranks(OTHER, [RANKED], NONE)
    assert (tensor.name, tensor.shape, tensor.batch_axis) == ("other", ("n", 3, 4), 0)
    two = (*FREE, TensorInput("mask", "float32", None))
    inputs, _ = settle_ranks(two, [RANKED], NONE)
    assert [tensor.shape for tensor in inputs] == [("n", 3, 4), None]
    assert settle_ranks(FREE, [FREE], NONE) == (FREE, NONE)


def test_a_shape_is_said_of_who_has_no_rank() -> None:
    choices = RequestChoices(shapes={"x": ((1, 3, 4),)})
    assert settle_ranks(RANKED, [FREE], choices) == (RANKED, NONE)
    assert settle_ranks(FREE, [RANKED], choices) == (FREE, choices)
    ((tensor,), own) = settle_ranks(OTHER, [FREE], choices)
    assert (tensor.shape, own) == ((1, 3, 4), NONE)
    assert settle_ranks(RANKED, [RANKED], choices) == (RANKED, choices)


def read(path: Path, inputs: tuple[TensorInput, ...], beside: tuple[TensorInput, ...], shape: str = "") -> Rows:
    file = open_data(str(path))
    assert file is not None
    shapes = {"x": (tuple(map(int, shape.split("x"))),)} if shape else {}
    settings = Settings(requests=RequestChoices(shapes=shapes))
    return read_rows(spec_of(inputs), file, settings, whole=False, beside=[spec_of(beside)])


def test_both_read_the_same_requests_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.npz"
    np.savez(path, x=np.arange(60, dtype=np.float32).reshape(5, 3, 4))
    with_ranks, free = read(path, RANKED, FREE), read(path, FREE, RANKED)
    assert np.array_equal(with_ranks.columns["x"], free.columns["x"])
    assert (free.columns["x"].shape, free.notices, free.spec.inputs) == ((5, 1, 3, 4), (), FREE)
    assert describe_unlike(with_ranks, free) == ("", "")
    assert mark_unlike(with_ranks, free, "a", "b") is free


def test_requests_of_other_sizes_are_told(tmp_path: Path) -> None:
    path = tmp_path / "rows.npz"
    np.savez(path, x=np.ones((5, 3, 4), np.float32))
    with_ranks, free = (read(path, *sides, shape="5x3x4") for sides in ((RANKED, FREE), (FREE, RANKED)))
    rows = mark_unlike(with_ranks, free, "a.pt2", "b.pt")
    (notice,) = rows.notices
    assert (rows.unlike, notice.code) == ("x:5x3x4", "unlike-requests")
    assert notice.message == "b.pt answers x:5x3x4 where a.pt2 answers x:1x3x4: no speed-up is shown"
    assert notice.hint == "--shape x:1x3x4 says what one request is"
    (reverse,) = mark_unlike(free, with_ranks, "b.pt", "a.pt2").notices
    assert reverse.hint == "--shape x:1x3x4 says what one request is"


def test_what_both_fix_otherwise_is_to_be_drawn(tmp_path: Path) -> None:
    path = tmp_path / "rows.npz"
    np.savez(path, x=np.ones((2, 3, 4), np.float32))
    pair = (TensorInput("x", "float32", (2, 3, 4)),)
    (notice,) = mark_unlike(read(path, RANKED, pair), read(path, pair, RANKED), "a", "b").notices
    assert notice.message == "b answers x:2x3x4 where a answers x:1x3x4: no speed-up is shown"
    assert "in place of --data" in notice.hint
