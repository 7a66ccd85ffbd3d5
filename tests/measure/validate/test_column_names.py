"""Columns that one side does not name: never matched by names that were made up for them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench import validate

ORDER = ("f2", "f0", "f1")
"""The columns of the training, in its order."""
SUM = "w = Constant<value = float[3,1] {1, 20, 300}> ()"
GRAPHS = {
    "named": f"(float[N,1] f2, float[N,1] f0, float[N,1] f1) => (float[N,1] y) "
    f"{{ x = Concat<axis = 1>(f2, f0, f1) {SUM} y = MatMul(x, w) }}",
    "right": f"(float[N,3] x) => (float[N,1] y) {{ {SUM} y = MatMul(x, w) }}",
    "sorted": f"(float[N,3] x) => (float[N,1] y) "
    f"{{ i = Constant<value = int64[3] {{2, 0, 1}}>() z = Gather<axis = 1>(x, i) {SUM} y = MatMul(z, w) }}",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that names its columns, an export that takes them in its order, and one that sorts them by name."""
    onnx = pytest.importorskip("onnx")
    parser = pytest.importorskip("onnx.parser")
    place = tmp_path_factory.mktemp("graphs")
    for name, graph in GRAPHS.items():
        onnx.save(parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> g {graph}'), place / f"{name}.onnx")
    rows = np.random.default_rng(0).normal(size=(16, 3)).round(2)
    columns: dict[str, Any] = dict(zip(("f0", "f1", "f2"), rows.T, strict=True))
    np.savez(place / "rows.npz", **columns)
    return place


@pytest.mark.parametrize("data", [True, False])
@pytest.mark.parametrize(("candidate", "code"), [("right", 0), ("sorted", 4)])
def test_an_export_is_judged_by_its_places(folder: Path, candidate: str, code: int, data: bool) -> None:
    rows = str(folder / "rows.npz") if data else None
    report = validate(str(folder / "named.onnx"), str(folder / f"{candidate}.onnx"), data=rows)
    assert report.verdict is not None
    assert report.verdict.exit_code == code
    assert [cause.detail for cause in report.results[0].causes] == (
        [] if code == 0 else ["the columns are sorted by name"]
    )
    sentence = "does not name its columns: they were taken in the reference's order, so that column 1 is 'f2'"
    assert [notice.message for notice in report.notices] == [f"{candidate}.onnx {sentence}"]


def test_of_a_reference_without_names_the_candidate_tells_the_order(folder: Path) -> None:
    report = validate(*(str(folder / name) for name in ("right.onnx", "named.onnx")), data=str(folder / "rows.npz"))
    assert report.verdict is not None
    assert report.verdict.exit_code == 0
    assert [(notice.code, notice.message, notice.hint) for notice in report.notices] == [
        (
            "by-position",
            "the reference has no column names: the columns of rows.npz were taken in the order of named.onnx, "
            "so that column 1 is 'f2'",
            "see that they stand in the order of training",
        )
    ]


def test_a_function_has_the_rows_under_the_names_of_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not under the places of a reference that names nothing."""
    (folder / "service_of_columns.py").write_text("def answer(r): return r['p'] + 20 * r['q'] + 300 * r['r']\n")
    rows = np.random.default_rng(0).normal(size=(16, 3)).round(2).astype(np.float32)
    columns: dict[str, Any] = dict(zip("pqr", rows.T, strict=True))
    np.savez(folder / "other.npz", **columns)
    monkeypatch.chdir(folder)
    report = validate("right.onnx", "service_of_columns:answer", data="other.npz", probes="off", atol=1e-3)
    assert report.verdict is not None
    assert report.verdict.exit_code == 0
    assert [notice.message for notice in report.notices if notice.code == "by-position"] == [
        "the reference has no column names: the 3 columns of other.npz were taken in order"
    ]
