"""ONNX files of several outputs: all that both sides have are compared by name, and one that is not is said."""

from pathlib import Path
from typing import Any

import pytest

from infer_bench import validate

TWO = "s = Constant<value = float[3,1] {1, 2, 3}>() t = Constant<value = float[3,1] {-4, 5, 6}>()"
PRICE, RISK = "price = MatMul(x, s)", "risk = MatMul(x, t)"
OTHER_RISK = "half = Constant<value = float {0.5}>() all = MatMul(x, t) risk = Add(all, half)"
CLASSES = (
    f"(float[N,3] x) => (int64[N] label, float[N,2] prob, float[N,k] both) {{ {TWO} {PRICE} {RISK} "
    "logits = Concat<axis = 1>(price, risk) prob = Softmax<axis = 1>(logits) "
    "label = ArgMax<axis = 1, keepdims = 0>(prob) %s }"
)
GRAPHS = {
    "two": f"(float[N,3] x) => (float[N,1] price, float[N,1] risk) {{ {TWO} {PRICE} {RISK} }}",
    "reversed": f"(float[N,3] x) => (float[N,1] risk, float[N,1] price) {{ {TWO} {PRICE} {RISK} }}",
    "risk": f"(float[N,3] x) => (float[N,1] risk) {{ {TWO} {RISK} }}",
    "other risk": f"(float[N,3] x) => (float[N,1] price, float[N,1] risk) {{ {TWO} {PRICE} {OTHER_RISK} }}",
    "classes": CLASSES % "both = Concat<axis = 1>(logits, logits)",
    "other than classes": CLASSES % "both = Concat<axis = 1>(price, logits)",
    "mean": f"(float[N,3] x) => (float[N,1] price, float mean) {{ {TWO} {PRICE} mean = ReduceMean<keepdims = 0>(x) }}",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    onnx = pytest.importorskip("onnx")
    parser = pytest.importorskip("onnx.parser")
    place = tmp_path_factory.mktemp("graphs")
    for name, graph in GRAPHS.items():
        onnx.save(parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> g {graph}'), place / f"{name}.onnx")
    return place


def compared(folder: Path, reference: str, candidate: str) -> Any:
    report = validate(str(folder / f"{reference}.onnx"), str(folder / f"{candidate}.onnx"))
    assert report.verdict is not None
    return report.verdict.exit_code, report


def test_every_output_that_both_sides_have_is_compared(folder: Path) -> None:
    code, report = compared(folder, "two", "reversed")
    engines = [result.candidate.engine for result in report.results]
    assert (code, report.notices) == (0, ())
    assert [engine.partition("output=")[2] for engine in engines] == ["price", "risk"]


def test_a_difference_in_an_output_that_is_read_second_is_one(folder: Path) -> None:
    code, report = compared(folder, "two", "other risk")
    assert (code, [result.different for result in report.results]) == (4, [False, True])
    assert report.results[1].groups[0].max_abs_delta == pytest.approx(0.5, rel=1e-3)


def test_an_output_beside_classes_is_compared_as_numbers(folder: Path) -> None:
    assert compared(folder, "classes", "classes")[0] == 0
    code, report = compared(folder, "classes", "other than classes")
    assert code == 4
    assert [result.different or bool(result.failed) for result in report.results] == [False, True]


def test_what_only_one_side_has_is_not_read_and_said(folder: Path) -> None:
    code, report = compared(folder, "two", "mean")
    assert (code, [(notice.code, notice.message, notice.hint) for notice in report.notices]) == (
        0,
        [
            (
                "unread-outputs",
                "two.onnx: of its outputs 'price' alone is read, not 'risk'",
                "onnxruntime:output=risk reads another",
            ),
            (
                "unread-outputs",
                "mean.onnx: of its outputs 'price' alone is read, not 'mean'",
                "onnxruntime:output=mean reads another",
            ),
        ],
    )


def test_an_output_that_the_user_chose_is_the_one_that_is_compared(folder: Path) -> None:
    names = [str(folder / f"{name}.onnx") for name in ("two", "other risk")]
    report = validate(*names, engines=["onnxruntime:output=price"])
    assert report.verdict is not None
    assert (report.verdict.exit_code, len(report.results)) == (0, 1)


@pytest.mark.parametrize(("reference", "candidate"), [("two", "reversed"), ("two", "risk"), ("risk", "two")])
def test_the_output_of_the_same_name_is_compared(folder: Path, reference: str, candidate: str) -> None:
    code, report = compared(folder, reference, candidate)
    assert code == 0
    chosen = [model.engine for model in (report.results[0].reference, report.results[0].candidate)]
    assert sum(",output=" in engine for engine in chosen) == 1
