"""ONNX files of several outputs: the same one is read of all, whatever their order, and which is said."""

from pathlib import Path
from typing import Any

import pytest

from infer_bench import validate

TWO = "s = Constant<value = float[3,1] {1, 2, 3}>() t = Constant<value = float[3,1] {-4, 5, 6}>()"
PRICE, RISK = "price = MatMul(x, s)", "risk = MatMul(x, t)"
GRAPHS = {
    "two": f"(float[N,3] x) => (float[N,1] price, float[N,1] risk) {{ {TWO} {PRICE} {RISK} }}",
    "reversed": f"(float[N,3] x) => (float[N,1] risk, float[N,1] price) {{ {TWO} {PRICE} {RISK} }}",
    "risk": f"(float[N,3] x) => (float[N,1] risk) {{ {TWO} {RISK} }}",
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


def test_what_is_not_read_of_a_file_is_said(folder: Path) -> None:
    code, report = compared(folder, "two", "two")
    assert (code, [(notice.code, notice.message, notice.hint) for notice in report.notices]) == (
        0,
        [
            (
                "unread-outputs",
                "two.onnx: of its outputs 'price' alone is read, not 'risk'",
                "onnxruntime:output=risk reads another",
            )
        ],
    )


@pytest.mark.parametrize(("reference", "candidate"), [("two", "reversed"), ("two", "risk"), ("risk", "two")])
def test_the_output_of_the_same_name_is_compared(folder: Path, reference: str, candidate: str) -> None:
    code, report = compared(folder, reference, candidate)
    assert code == 0
    chosen = [model.engine for model in (report.results[0].reference, report.results[0].candidate)]
    assert sum(",output=" in engine for engine in chosen) == 1
