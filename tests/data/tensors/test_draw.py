"""Values of drawn requests, and the rules behind them."""

from typing import Any

import numpy as np
import pytest

from infer_bench.data.tensors import draw
from infer_bench.data.tensors.shapes import ShapeTrial
from infer_bench.data.tensors.stacking import MOST_BYTES
from infer_bench.errors import UsageError
from infer_bench.formats.graph_uses import InputUse
from infer_bench.model import TensorInput
from infer_bench.request_choices import Fill, RequestChoices
from infer_bench.typing import Columns

IDS = TensorInput("ids", "int64", ("batch", 6), 0)
X = TensorInput("x", "float32", ("batch", "time", 3), 0)
FIXED = {"ids": (1, 6), "x": (1, 5, 3)}


def draw_for(
    *inputs: TensorInput,
    uses: Any = None,
    fills: Any = None,
    guess: str = "",
    count: int = 4,
    seed: int = 0,
    **shapes: Any,
) -> tuple[Columns, dict[str, str]]:
    trial = ShapeTrial({**FIXED, **shapes}, frozenset())
    rules = draw.choose_rules(inputs, uses or {}, trial, fills or {}, guess)
    columns, rows = draw.draw_requests(inputs, [trial], [rules], count, seed)
    return columns, {row.name: row.rule for row in rows}


def test_the_seed_is_of_the_name_and_fewer_requests_are_the_first() -> None:
    columns, _ = draw_for(X, IDS, uses={"ids": InputUse(high=99)})
    others, _ = draw_for(IDS, X, uses={"ids": InputUse(high=99)}, count=2)
    assert all(np.array_equal(columns[name][:2], others[name]) for name in ("x", "ids"))
    assert not np.array_equal(columns["x"], draw_for(X, seed=1)[0]["x"])
    assert len(np.unique(columns["x"][:, 0, 0, 0])) == 4


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_are_uniform(dtype: str) -> None:
    columns, rules = draw_for(TensorInput("x", dtype, ("batch", None, 3), 0), count=64)
    assert (columns["x"].dtype, columns["x"].shape) == (np.dtype(dtype), (64, 1, 5, 3))
    assert (columns["x"].min() >= 0, columns["x"].max() <= 1, rules["x"]) == (True, True, "uniform in [0, 1)")


def test_ids_reach_every_row_and_no_further() -> None:
    columns, rules = draw_for(IDS, uses={"ids": InputUse(1, 3, "a row of table (4 rows)")}, count=64)
    assert np.unique(columns["ids"]).tolist() == [1, 2, 3]
    assert rules["ids"] == "1 to 3, a row of table (4 rows)"


@pytest.mark.parametrize(
    ("name", "dtype", "values"),
    [
        ("attention_mask", "int64", 1),
        ("input_mask", "float32", 1),
        ("token_type_ids", "int64", 0),
        ("segment_ids:0", "int32", 0),
        ("mask", "bool", True),
        ("h0", "float32", 0),
        ("past_key_values.0.value", "float16", 0),
        ("x_lengths", "int64", 5),
        ("xlen", "int32", 5),
    ],
)
def test_names_have_rules(name: str, dtype: str, values: Any) -> None:
    shapes: dict[str, Any] = {name: (4,)}
    columns, _ = draw_for(X, TensorInput(name, dtype, (4,)), **shapes)
    assert columns[name].dtype == dtype
    assert (columns[name] == values).all()


def test_positions_count_up_and_stop_at_the_last_row() -> None:
    positions = TensorInput("position_ids", "int64", ("batch", 6), 0)
    columns, _ = draw_for(positions, uses={"position_ids": InputUse(high=3)}, position_ids=(1, 6))
    assert columns["position_ids"][0, 0].tolist() == [0, 1, 2, 3, 3, 3]


def test_a_state_that_is_the_only_input_is_data() -> None:
    columns, _ = draw_for(TensorInput("hidden_states", "float32", ("batch", 8), 0), hidden_states=(1, 8))
    assert columns["hidden_states"].any()


def test_a_length_is_that_of_the_input_it_is_called_after() -> None:
    text, speech = (TensorInput(name, "float32", ("batch", name, 2), 0) for name in ("text", "speech"))
    lengths = TensorInput("text_lengths", "int64", ("batch",), 0)
    columns, _ = draw_for(text, speech, lengths, text=(1, 7, 2), speech=(1, 90, 2), text_lengths=(1,))
    assert (columns["text_lengths"] == 7).all()


def test_a_scalar_is_what_the_model_compares_it_with() -> None:
    columns, rules = draw_for(X, TensorInput("sr", "int64", ()), uses={"sr": InputUse(constants=[16000, 8000])}, sr=())
    assert columns["sr"].tolist() == [16000] * 4
    assert rules["sr"] == "16000, which the model compares it with"


@pytest.mark.parametrize(("dtype", "low", "high"), [("uint8", 0, 255), ("int8", -128, 127)])
def test_bytes_take_their_whole_range(dtype: str, low: int, high: int) -> None:
    columns, _ = draw_for(TensorInput("image", dtype, ("batch", 64, 64, 3), 0), image=(1, 64, 64, 3))
    assert (columns["image"].min(), columns["image"].max()) == (low, high)


def test_of_whole_numbers_that_nothing_explains_there_are_three_guesses() -> None:
    number = TensorInput("number", "int64", (64,))
    drawn, zeros, ones = (draw_for(number, guess=g, number=(64,))[0]["number"] for g in ("", "zeros", "ones"))
    assert np.unique(drawn).tolist() == [0, 1]
    assert not zeros.any()
    assert ones.all()


def test_texts_scalars_and_empty_axes() -> None:
    columns, _ = draw_for(
        TensorInput("text", "object", (2,)), TensorInput("none", "float32", (0, 2)), text=(2,), none=(0, 2)
    )
    assert columns["text"].tolist() == [["a", "a"]] * 4
    assert columns["none"].shape == (4, 0, 2)


def test_a_shape_operand_keeps_what_it_reshapes() -> None:
    use = InputUse(operand="Reshape", operand_value=1)
    columns, _ = draw_for(TensorInput("shape", "int64", (3,)), uses={"shape": use}, shape=(3,))
    assert columns["shape"][0].tolist() == [-1, 1, 1]


def test_fills_win_and_must_fit() -> None:
    fills = {"x": Fill(2, 2), "ids": Fill(10, 12)}
    columns, rules = draw_for(X, IDS, fills=fills, uses={"ids": InputUse(high=3)}, count=64)
    assert ((columns["x"] == 2).all(), np.unique(columns["ids"]).tolist(), rules["ids"]) == (
        True,
        [10, 11, 12],
        "--fill",
    )
    for fill in (Fill(0.5, 0.5), Fill(text="words"), Fill(0, 1e30)):
        with pytest.raises(UsageError):
            draw_for(IDS, fills={"ids": fill})


def test_an_input_without_a_batch_axis_is_the_same_in_all_requests() -> None:
    columns, _ = draw_for(X, TensorInput("scale", "float32", (3,)), scale=(3,))
    assert (columns["scale"] == columns["scale"][0]).all()
    alone, _ = draw_for(TensorInput("scale", "float32", (3,)), scale=(3,))
    assert not (alone["scale"] == alone["scale"][0]).all()


def test_memory_bounds_the_number_of_requests() -> None:
    columns, _ = draw_for(TensorInput("x", "float32", (1, 3, 640, 640)), x=(1, 3, 640, 640), count=1024)
    assert len(columns["x"]) == MOST_BYTES // (3 * 640 * 640 * 4) == 6


def test_requests_take_turns_in_several_shapes() -> None:
    choices = RequestChoices({"x": ((1, 5, 3), (1, 9, 3)), "ids": ((1, 6),)})
    shapes = draw.split_shapes(choices)
    trials = [ShapeTrial(shape, frozenset()) for shape in shapes]
    rules = [draw.choose_rules([X, IDS], {}, trial, {}) for trial in trials]
    columns, rows = draw.draw_requests([X, IDS], trials, rules, 5, 0)
    assert [array.shape for array in columns["x"]] == [(1, 5, 3), (1, 9, 3)] * 2 + [(1, 5, 3)]
    assert (columns["ids"].shape, rows[0].shapes) == ((5, 1, 6), ((1, 5, 3), (1, 9, 3)))
    with pytest.raises(UsageError, match="belong together"):
        draw.split_shapes(RequestChoices({"x": ((1,), (2,)), "ids": ((1,), (2,), (3,))}))


def test_names_of_no_input_are_refused_and_defaults_are_left_out() -> None:
    inputs = [X, TensorInput("bias", "float32", (3,), optional=True)]
    assert draw.list_inputs(inputs, RequestChoices()) == [X]
    assert draw.list_inputs(inputs[1:], RequestChoices()) == inputs[1:]  # all have a default
    assert draw.list_inputs(inputs, RequestChoices(fills={"bias": Fill()})) == inputs
    for choices in (
        RequestChoices({"y": ((1,),)}),
        RequestChoices(sizes={"width": 3}),
        RequestChoices(fills={"y": Fill()}),
    ):
        with pytest.raises(UsageError, match="the model has no"):
            draw.list_inputs(inputs, choices)


def test_a_truth_value_is_drawn_both_ways_and_others_by_place() -> None:
    switch, keep = TensorInput("switch", "bool", ()), TensorInput("keep", "bool", (32,))
    trial = ShapeTrial({"x": (1, 3), "switch": (), "keep": (32,)}, frozenset())
    inputs = (TensorInput("x", "float32", ("batch", 3), 0), switch, keep)
    rules = draw.choose_rules(inputs, {}, trial, {})
    columns, choices = draw.draw_requests(inputs, [trial], [rules], 16, 0)
    assert set(columns["switch"].tolist()) == {True, False}
    assert (columns["keep"] == columns["keep"][0]).all()
    assert set(columns["keep"][0].tolist()) == {True, False}
    assert choices[1].rule == "true or false"
