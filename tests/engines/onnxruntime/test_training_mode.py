"""Graphs that work as in training."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from infer_bench import bench, validate
from infer_bench.engines.onnxruntime.training_mode import find_training_operators
from infer_bench.engines.training_mode import TrainingOperators
from tests.faulty_networks import save_graph

node, store = helper.make_node, numpy_helper.from_array
HALF, NONE = store(np.array(0.5, dtype=np.float32), "ratio"), store(np.array(0.0, dtype=np.float32), "ratio")
YES, NO = store(np.array(True), "mode"), store(np.array(False), "mode")
FOUR = [store(np.ones(4, dtype=np.float32), name) for name in ("scale", "shift", "mean", "var")]
NORMAL = ["x", "scale", "shift", "mean", "var"]


def operators(folder: Path, nodes: Any, stored: Any = ()) -> TrainingOperators:
    return find_training_operators(save_graph(folder / "graph.onnx", nodes, stored, 4, 4).read_bytes())


@pytest.mark.parametrize(
    ("stored", "names"),
    [([HALF, YES], ("Dropout",)), ([HALF, NO], ()), ([NONE, YES], ())],
)
def test_dropout_by_its_inputs(tmp_path: Path, stored: Any, names: tuple[str, ...]) -> None:
    dropout = node("Dropout", ["x", "ratio", "mode"], ["y"])
    assert operators(tmp_path, [dropout], stored).dropout == names


def test_dropout_by_constants_and_by_default(tmp_path: Path) -> None:
    constant = node("Constant", [], ["mode"], value=YES)
    assert operators(tmp_path, [constant, node("Dropout", ["x", "", "mode"], ["y"])]).dropout == ("Dropout",)
    assert operators(tmp_path, [node("Dropout", ["x"], ["y"])]) == TrainingOperators()


def test_batch_normalisation_by_its_attribute(tmp_path: Path) -> None:
    outputs = ["y", "mean_out", "var_out"]
    trained = operators(tmp_path, [node("BatchNormalization", NORMAL, outputs, training_mode=1)], FOUR)
    assert trained.batch == ("BatchNormalization",)
    assert operators(tmp_path, [node("BatchNormalization", NORMAL, ["y"])], FOUR) == TrainingOperators()


def test_random_numbers_in_branches_too(tmp_path: Path) -> None:
    branch = helper.make_graph(
        [node("RandomNormalLike", ["x"], ["noise"])], "branch", [],
        [helper.make_tensor_value_info("noise", TensorProto.FLOAT, ["batch", 4])],
    )  # fmt: skip
    nodes = [node("If", ["mode"], ["y"], then_branch=branch, else_branch=branch)]
    assert operators(tmp_path, nodes, [YES]).random == ("RandomNormalLike", "RandomNormalLike")


def test_remarks_name_operators_and_what_they_do() -> None:
    assert TrainingOperators().remarks == ()
    both = TrainingOperators(("batch_norm",), ("dropout", "dropout"), ("randn",)).remarks
    assert [remark.code for remark in both] == ["training-mode", "random-numbers"]
    assert both[0].message == (
        "works in training mode (batch_norm, 2 × dropout): "
        "an answer depends on the other rows of its request and no two answers are alike"
    )
    assert both[0].hint == "call model.eval() before the export"
    assert "depends" not in TrainingOperators((), ("dropout",)).remarks[0].message
    assert TrainingOperators(random=("randn",)).remarks[0].message == (
        "draws random numbers (randn): no two answers are alike"
    )


def test_a_bench_notes_it_and_a_comparison_names_it_as_the_cause(tmp_path: Path) -> None:
    weights = store(np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32), "w")
    paths = {
        name: str(
            save_graph(
                tmp_path / f"{name}.onnx",
                [node("Dropout", ["x", "ratio", "mode"], ["h"]), node("MatMul", ["h", "w"], ["y"])],
                [weights, HALF, mode],
                4,
                4,
            )
        )
        for name, mode in (("eval", NO), ("train", YES))
    }
    (notice,) = [n for n in bench(paths["train"], rounds=1, processes=1).notices if n.code == "training-mode"]
    assert notice.message == "train.onnx: works in training mode (Dropout): no two answers are alike"
    for pair in (("eval", "train"), ("train", "eval")):
        report = validate(*(paths[name] for name in pair))
        result = report.results[0]
        assert [(cause.name, cause.fix) for cause in result.causes] == [
            ("training mode", "call model.eval() before the export")
        ]
        assert result.causes[0].detail.startswith("train.onnx works in training mode (Dropout)")
        assert "training-mode" in {n.code for n in report.notices}
