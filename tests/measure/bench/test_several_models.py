"""Several models are one comparison: on the same rows wherever they can take them, against the first one."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from infer_bench.errors import DataError, InferBenchError, ModelError
from infer_bench.measure.api import bench
from infer_bench.measure.bench.results import OTHER_ROWS
from infer_bench.measure.candidates import common_rows
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.candidates.request_file import open_data
from infer_bench.measure.candidates.rows import RequestDomain, Rows
from infer_bench.measure.settings import Settings
from infer_bench.model import Feature, ModelSpec
from infer_bench.report.bench import BenchReport
from infer_bench.reporters.registry import render
from tests.measure.fake_layouts import candidate

onnx = pytest.importorskip("onnx")
parser = pytest.importorskip("onnx.parser")
ONE = '<ir_version: 8, opset_import: ["" : 17]>'
WEIGHTS = "3, -2, 1, 5, 1, 1, 1, 1"


def write(folder: Path, name: str, inputs: int, outputs: int = 1, body: str = "") -> str:
    values = ", ".join(WEIGHTS.split(", ")[: inputs * outputs])
    body = body or f"w = Constant<value = float[{inputs}, {outputs}] {{{values}}}>() y = MatMul(x, w)"
    path = folder / name
    onnx.save(parser.parse_model(f"{ONE} g (float[N, {inputs}] x) => (float[N, {outputs}] y) {{ {body} }}"), path)
    return str(path)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> BenchReport:
    """Sums of one input, of two outputs, of another input, and a graph that does not load."""
    folder = tmp_path_factory.mktemp("models")
    models = [
        write(folder, "sum.onnx", 4),
        write(folder, "double.onnx", 4, body="w = Constant<value = float[4, 1] {6, -4, 2, 10}>() y = MatMul(x, w)"),
        write(folder, "pair.onnx", 4, 2),
        write(folder, "short.onnx", 3),
        write(folder, "broken.onnx", 4, body="a, b = Split(x) y = Add(a, b)"),
    ]
    return bench(models, rounds=1, processes=1)


def test_the_first_model_is_the_reference_of_all(report: BenchReport) -> None:
    first, double, *others = report.results
    assert first.delta_note == "reference"
    assert first.speedup is None
    assert double.speedup is not None
    assert (double.speedup.against, double.speedup.against_model) == (first.candidate, first.model.path)
    assert {r.speedup.against_model for r in others if r.speedup} == {first.model.path}


def test_models_without_names_answer_the_same_rows(report: BenchReport) -> None:
    double = report.results[1]
    assert double.max_abs_delta is not None
    assert double.max_abs_delta > 1


def test_what_cannot_be_compared_says_why(report: BenchReport) -> None:
    pair, short, broken = report.results[2:]
    assert (pair.max_abs_delta, pair.delta_note) == (None, "2 outputs a row where the reference gives 1")
    assert (short.max_abs_delta, short.delta_note) == (None, OTHER_ROWS)
    assert broken.failed
    assert report.verdict is not None
    assert report.verdict.exit_code == 6
    assert "broken.onnx" in report.verdict.reasons[0]


def test_they_stand_in_one_table_under_their_names(report: BenchReport) -> None:
    text = render(report, "table")
    assert text.count("speed-up   ") == 1
    for line in (
        "sum.onnx      ONNX",
        "double.onnx   ONNX",
        "\nsum.onnx    ",
        "\ndouble.onnx ",
        "\nbroken.onnx   failed",
    ):
        assert line in text
    assert "  onnxruntime feed=ndarray · 1 thread" in text
    assert "DataFrame" not in text


def test_every_format_tells_the_models_apart(report: BenchReport) -> None:
    for format in ("markdown", "csv", "junit", "openmetrics", "pyperf", "bencher", "github-action-benchmark"):
        text = render(report, format)
        assert "sum.onnx" in text
        assert "short.onnx" in text


def domain(*features: Feature) -> RequestDomain:
    return RequestDomain(ModelSpec("regression", features, ("y",)))


def share(
    monkeypatch: pytest.MonkeyPatch, source: str | None, **domains: RequestDomain | InferBenchError
) -> tuple[dict[str, Rows], dict[Key, InferBenchError]]:
    """Rows of fake models, without a worker."""

    def describe(candidates: Sequence[Candidate], *_: object, **__: object) -> RequestDomain:
        fake = domains[candidates[0].model.path]
        if isinstance(fake, InferBenchError):
            raise fake
        return fake

    monkeypatch.setattr(common_rows, "describe_domain", describe)
    groups = {path: [candidate("engine", path)] for path in domains}
    return common_rows.load_common_rows(groups, open_data(source), Settings())


def named(names: str, **kinds: str) -> RequestDomain:
    """A model with these columns; `f0`, `f1`, … are invented."""
    invented = all(name == f"f{i}" for i, name in enumerate(names.split()))
    return domain(*(Feature(name, kinds.get(name, "float"), (), invented) for name in names.split()))  # type: ignore[arg-type]


def test_a_model_with_the_same_names_in_another_order_has_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, _ = share(monkeypatch, None, one=named("a b"), two=named("b a"), three=named("b"))
    assert list(rows["two"].columns) == ["b", "a"]
    assert np.array_equal(rows["two"].columns["a"], rows["one"].columns["a"])
    assert np.array_equal(rows["three"].columns["b"], rows["one"].columns["b"])
    assert {part.drawn_for for part in rows.values()} == {"one"}


@pytest.mark.parametrize(("one", "two"), [("a b", "b c"), ("a b", "f0 f1 f2"), ("f0 f1 f2", "f0 f1"), ("a", "a b")])
def test_other_inputs_have_other_rows(monkeypatch: pytest.MonkeyPatch, one: str, two: str) -> None:
    rows, _ = share(monkeypatch, None, one=named(one), two=named(two))
    assert [rows[name].drawn_for for name in ("one", "two")] == ["one", "two"]


def test_whole_numbers_are_drawn_where_any_model_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, _ = share(monkeypatch, None, one=named("a b"), two=named("b a", a="integer"))
    assert rows["one"].columns["a"].dtype == np.int64
    assert rows["one"].columns["b"].dtype == np.float64


def test_categories_that_any_model_knows_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    known = domain(Feature("c", "string", ("red", "blue")))
    rows, _ = share(monkeypatch, None, one=named("c", c="string"), two=known)
    assert set(rows["one"].columns["c"].tolist()) == {"red", "blue"}


def test_a_function_is_handed_the_rows_of_the_model_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, _ = share(monkeypatch, None, function=domain(), model=named("a b"))
    assert list(rows["function"].records) == ["a", "b"]
    assert rows["function"].drawn_for == "model"


def test_a_model_without_names_takes_the_first_ones_order_and_not_the_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = tmp_path / "rows.csv"
    data.write_text("b,target,a\n1,9,2\n3,9,4\n", encoding="utf-8")
    rows, _ = share(monkeypatch, str(data), one=named("a b"), two=named("f0 f1"), three=named("target a"))
    assert {name: column.tolist() for name, column in rows["two"].columns.items()} == {"f0": [2, 4], "f1": [1, 3]}
    assert {name: column.tolist() for name, column in rows["three"].columns.items()} == {"target": [9, 9], "a": [2, 4]}
    assert [notice.code for notice in rows["two"].notices] == ["by-position"]
    assert not rows["three"].notices
    assert {part.drawn_for for part in rows.values()} == {""}


def test_a_first_model_without_names_takes_the_order_of_one_that_has_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = tmp_path / "rows.csv"
    data.write_text("b,target,a\n1,9,2\n3,9,4\n", encoding="utf-8")
    rows, _ = share(monkeypatch, str(data), one=named("f0 f1"), two=named("a b"))
    assert {name: column.tolist() for name, column in rows["one"].columns.items()} == {"f0": [2, 4], "f1": [1, 3]}
    assert {name: column.tolist() for name, column in rows["two"].columns.items()} == {"a": [2, 4], "b": [1, 3]}


def test_drawn_rows_are_not_matched_by_invented_names(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, _ = share(monkeypatch, None, one=named("f1 f0"), two=named("f0 f1"))
    assert np.array_equal(rows["two"].columns["f0"], rows["one"].columns["f1"])
    assert [notice.code for notice in rows["two"].notices] == ["by-position"]


def test_rows_that_do_not_fit_name_the_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    data = tmp_path / "rows.csv"
    data.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"lacks 'c' .* \(for two\)"):
        share(monkeypatch, str(data), one=named("a b"), two=named("b c"))


def test_a_model_that_cannot_be_opened_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    error = ModelError("broken")
    rows, failures = share(monkeypatch, None, one=error, two=named("a"))
    assert list(rows) == ["two"]
    assert list(failures.values()) == [error]
    with pytest.raises(ModelError, match="broken"):
        share(monkeypatch, None, one=error, two=ModelError("too"))
