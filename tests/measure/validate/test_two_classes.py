"""Two probabilities in one file and the second alone in the other: the same answer, whatever the formats."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench import validate
from infer_bench.engines import registry
from infer_bench.engines.base import check_options
from infer_bench.formats.identify import identify
from infer_bench.model import ModelSpec

WEIGHTS = "w = Constant<value = float[3,2] {1,-1,2,0.5,-0.3,0.7}>() s = MatMul(x, w)"
ONE = "float[N,3] x) => (float[N,2] y"
LABELLED = "float[N,3] x) => (int64[N] label, float[N,2] y"
MANY_LABELS = "float[N,3] x) => (int64[N,2] label, float[N,2] y"
LABEL = "label = ArgMax<axis=1, keepdims=0>(s)"
NETWORKS = {
    "softmax": (ONE, "y = Softmax(s)"),
    "hidden": (ONE, "p = Softmax(s) y = Identity(p)"),
    "labelled": (LABELLED, f"p = Softmax(s) y = Identity(p) {LABEL}"),
    "exchanged": (ONE, "p = Softmax(s) i = Constant<value = int64[2] {1,0}>() y = Gather<axis=1>(p, i)"),
    "scores": (ONE, "y = Identity(s)"),
    "labelled scores": (LABELLED, f"y = Identity(s) {LABEL}"),
    "many labels": (
        MANY_LABELS,
        "y = Sigmoid(s) h = Constant<value = float {0.5}>() g = Greater(y, h) label = Cast<to=7>(g)",
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    onnx = pytest.importorskip("onnx")
    parser = pytest.importorskip("onnx.parser")
    place = tmp_path_factory.mktemp("networks")
    for name, (signature, body) in NETWORKS.items():
        text = f'<ir_version: 8, opset_import: ["" : 17]> g ({signature}) {{ {WEIGHTS} {body} }}'
        onnx.save(parser.parse_model(text), place / f"{name}.onnx")
    return place


def compared(folder: Path, reference: str, candidate: str) -> Any:
    report = validate(str(folder / f"{reference}.onnx"), str(folder / f"{candidate}.onnx"))
    assert report.verdict is not None
    return report.verdict.exit_code, report.results[0]


def spec_of(path: Path) -> tuple[ModelSpec, Any]:
    """What the engine makes of a file, and its predictions and labels for a row."""
    engine = registry.get("onnxruntime")
    session: Any = engine.open(identify(str(path)), check_options(engine, {}))
    row = dict.fromkeys(session.spec.feature_names, np.full(2, 0.25))
    return session.spec, session.predictions_and_labels(session.preprocess(row))


@pytest.mark.parametrize(("reference", "candidate"), [("softmax", "hidden"), ("hidden", "softmax")])
def test_a_pair_and_its_second_probability_are_the_same_answer(folder: Path, reference: str, candidate: str) -> None:
    code, result = compared(folder, reference, candidate)
    assert (code, result.different, [group.failing for group in result.groups]) == (0, False, [0] * 6)
    assert (result.output_meaning, result.rtol) == ("probability of class 1", 0.0)
    assert {output.output for group in result.groups for output in group.outputs} == {"output"}


def test_exchanged_classes_are_different_and_named(folder: Path) -> None:
    code, result = compared(folder, "softmax", "exchanged")
    assert (code, [cause.name for cause in result.causes]) == (4, ["class order"])
    assert "the two classes changed places" in result.causes[0].detail


def test_two_scores_are_not_taken_for_probabilities(folder: Path) -> None:
    code, result = compared(folder, "softmax", "scores")
    assert (code, result.why) == (
        4,
        "an answer has 2 columns where the reference's has 1, and the two are no probabilities",
    )


def test_labels_beside_two_scores_do_not_make_them_probabilities(folder: Path) -> None:
    spec, (predictions, labels) = spec_of(folder / "labelled scores.onnx")
    assert (spec.task, predictions.shape, labels.tolist()) == ("raw", (2, 2), [0, 0])
    assert spec_of(folder / "labelled.onnx")[0].task == "binary"


def test_probabilities_of_labels_of_their_own_are_two_outputs(folder: Path) -> None:
    """Each is compared, and several labels a row are no classes."""
    spec, (predictions, labels) = spec_of(folder / "many labels.onnx")
    assert (spec.task, predictions.shape, labels) == ("raw", (2, 2), None)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_exported_program_and_its_onnx_export_give_the_same_answer(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2), torch.nn.Softmax(1))
    rows, batch = torch.randn(64, 5), torch.export.Dim("batch")
    program, graph = tmp_path / "network.pt2", tmp_path / "network.onnx"
    torch.export.save(torch.export.export(network.eval(), (rows[:8],), dynamic_shapes=({0: batch},)), program)
    names: Any = {"input_names": ["x"], "output_names": ["y"], "dynamic_axes": {"x": {0: "n"}, "y": {0: "n"}}}
    torch.onnx.export(network, (rows[:1],), graph, dynamo=False, **names)
    for pair in ((program, graph), (graph, program)):
        report = validate(*map(str, pair))
        assert report.verdict is not None
        assert report.verdict.exit_code == 0
        assert max(group.max_abs_delta for group in report.results[0].groups) < 1e-6
