"""Shapes that are worth a try."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from infer_bench.data.tensors.shapes import SIZES, list_trials
from infer_bench.errors import DataError, UsageError
from infer_bench.formats.graph_uses import InputUse
from infer_bench.formats.signature import find_batch_axis
from infer_bench.model import TensorInput


def tensor(name: str, *shape: int | str | None, dtype: str = "float32") -> TensorInput:
    return TensorInput(name, dtype, shape, find_batch_axis(name, shape))


def shapes_of(
    inputs: Sequence[TensorInput],
    shapes: Mapping[str, tuple[int, ...]] | None = None,
    sizes: Mapping[str, int] | None = None,
    uses: Mapping[str, InputUse] | None = None,
) -> list[dict[str, Any]]:
    return [dict(trial.shapes) for trial in list_trials(inputs, uses or {}, shapes or {}, sizes or {})]


def test_what_is_declared_needs_no_second_try() -> None:
    trials = list_trials([tensor("x", "batch", 3, 8, 8), tensor("rate")], {}, {}, {})
    assert [(trial.shapes, trial.unsized_inputs) for trial in trials] == [
        ({"x": (1, 3, 8, 8), "rate": ()}, frozenset())
    ]


def test_free_axes_climb_a_ladder_together() -> None:
    inputs = [tensor("ids", "batch", "tokens", dtype="int64"), tensor("mask", "batch", None, dtype="int64")]
    assert shapes_of(inputs) == [{"ids": (1, size), "mask": (1, size)} for size in SIZES]


def test_a_number_of_boxes_is_no_batch() -> None:
    inputs = [tensor("boxes", 1, "n", 4), tensor("scores", 1, 3, "n")]
    assert shapes_of(inputs)[0] == {"boxes": (1, SIZES[0], 4), "scores": (1, 3, SIZES[0])}
    assert list_trials(inputs, {}, {}, {})[0].unsized_inputs == {"boxes", "scores"}


def test_an_image_has_the_sizes_of_images_in_either_layout() -> None:
    assert shapes_of([tensor("x", "n", 3, "h", "w")])[:3] == [
        {"x": (1, 3, *s)} for s in ((224, 224), (320, 320), (48, 320))
    ]
    assert shapes_of([tensor("x", "n", None, None, 1)])[0] == {"x": (1, 224, 224, 1)}
    assert shapes_of([tensor("x", 1, 1, 64, "width")])[0] == {"x": (1, 1, 64, 160)}
    assert shapes_of([tensor("x", 1, 3, 32, "width")])[0] == {"x": (1, 3, 32, 224)}


def test_layers_say_the_sizes_that_they_take() -> None:
    uses = {"x": InputUse(sizes={1: 3}), "y": InputUse(sizes={2: 80})}
    trials = shapes_of([tensor("x", "n", "c", "h", "w"), tensor("y", "n", "t", "columns")], uses=uses)
    assert trials[0] == {"x": (1, 3, 224, 224), "y": (1, 16, 80)}


def test_axes_without_a_name_are_not_one_axis() -> None:
    trials = shapes_of([tensor("x", None, None), tensor("y", None, 7)], {"x": (1, 5)})
    assert trials == [{"x": (1, 5), "y": (1, 7)}]


def test_a_symbol_has_one_size_wherever_it_stands() -> None:
    inputs = [tensor("x", "batch", "t", 8), tensor("y", "t", 4)]
    assert shapes_of(inputs, {"x": (2, 30, 8)}) == [{"x": (2, 30, 8), "y": (30, 4)}]
    assert shapes_of(inputs, sizes={"t": 9}) == [{"x": (1, 9, 8), "y": (9, 4)}]
    with pytest.raises(UsageError, match="does not fit: t is 30"):
        shapes_of(inputs, {"x": (1, 30, 8), "y": (31, 4)})


def test_a_formula_follows_what_it_is_made_of_and_a_cache_is_empty_at_first() -> None:
    inputs = [
        tensor("ids", "batch", "tokens", dtype="int64"),
        tensor("mask", "batch", "past + tokens", dtype="int64"),
        tensor("past_key_values.0.key", "batch", 2, "past", 4),
    ]
    first, *others = shapes_of(inputs)
    assert first == {"ids": (1, 16), "mask": (1, 16), "past_key_values.0.key": (1, 2, 0, 4)}
    assert {"ids": (1, 16), "mask": (1, 32), "past_key_values.0.key": (1, 2, 16, 4)} in others


def test_a_state_holds_one_sequence() -> None:
    inputs = [tensor("input", None, None), tensor("state", 2, None, 128)]
    assert shapes_of(inputs)[0] == {"input": (1, 16), "state": (2, 1, 128)}


def test_shapes_that_contradict_the_model_are_refused() -> None:
    for shape in ((1, 4), (1, 3, 9), (2, 3, 8)):
        with pytest.raises(UsageError):
            shapes_of([tensor("x", 1, 3, 8)], {"x": shape})


def test_an_input_of_any_rank_is_asked_for() -> None:
    anything = TensorInput("x", "float32", None)
    with pytest.raises(DataError, match="any rank"):
        shapes_of([anything])
    assert shapes_of([anything], {"x": (2, 2)}) == [{"x": (2, 2)}]
    with pytest.raises(DataError, match="the inputs 'x', 'h' may have any rank") as caught:
        shapes_of([anything, tensor("y", 3), TensorInput("h", "float32", None)])
    assert caught.value.hint == "say which: --shape x:1x16 --shape h:1x16"
