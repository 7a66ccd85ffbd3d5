"""Networks fed by tensors, from files to verdicts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench import validate
from infer_bench.errors import DataError, EngineError, ModelError
from infer_bench.report.serialize import dump, load_report
from infer_bench.reporters.registry import render
from tests.tensor_networks import IMAGES, LOOKUP, SEQUENCE, half, image_weights, images, save_graph, sequence_weights


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("networks")
    weights = image_weights()
    shifted = {**weights, "w": weights["w"] + np.eye(8, 10, dtype=np.float32) * np.float32(1e-4)}
    paths = {
        "model": save_graph(folder / "model.onnx", IMAGES, weights),
        "half": save_graph(folder / "half.onnx", IMAGES, {**weights, "kernel": half(weights["kernel"])}),
        "shifted": save_graph(folder / "shifted.onnx", IMAGES, shifted),
        "renamed": save_graph(folder / "renamed.onnx", IMAGES.replace("probs", "out").replace("image", "x"), weights),
        "sequence": save_graph(folder / "sequence.onnx", SEQUENCE, sequence_weights()),
        "broken": save_graph(folder / "broken.onnx", SEQUENCE),
    }
    np.savez(folder / "inputs.npz", image=images(12))
    np.savez(folder / "x.npz", x=np.random.default_rng(0).uniform(size=(5, 7, 64)).astype(np.float32))
    return {name: str(path) for name, path in paths.items()} | {
        "inputs": str(folder / "inputs.npz"),
        "x": str(folder / "x.npz"),
        "folder": str(folder),
    }


@pytest.fixture(scope="module")
def report(files: dict[str, str]) -> Any:
    return validate(files["model"], *(files[k] for k in ("renamed", "half", "shifted")), data=files["inputs"])


def test_only_what_rounds_is_the_same(report: Any) -> None:
    same, halved, shifted = report.results
    assert [result.different for result in report.results] == [False, True, True]
    assert report.verdict.exit_code == 4
    assert report.verdict.reasons[0] == "half.onnx: 14 of 14 requests differ in probs"
    assert (same.by_rounding, same.atol, same.groups[0].rows) == (True, 1e-4, 12)
    assert max(result.groups[0].max_abs_delta for result in report.results) < 2e-4
    assert [cause.name for cause in halved.causes] == ["other weights"]
    (output,) = shifted.groups[0].outputs
    assert (output.tensor.dtype, output.tensor.shape, output.failing) == ("float32", (1, 10), 12)
    assert output.tensor.rounding.method == "noise"
    assert output.tensor.rounding.ratio > 32
    assert output.tensor.label_changes is not None
    assert shifted.worst[0].place[0] == 0
    assert {notice.code for notice in report.notices} >= {"by-position", "scores"}


def test_the_report_is_saved_and_shown(report: Any) -> None:
    text = render(load_report(dump(report)), "table", width=80)
    assert "probs float32 1×10" in text
    assert "the error is" in text


def test_saved_outputs_are_a_reference(files: dict[str, str], tmp_path: Path) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(files["sequence"], providers=["CPUExecutionProvider"])
    y, best = session.run(["y", "best"], {"x": np.load(files["x"])["x"]})
    np.savez(tmp_path / "good.npz", frames=y, places=best)
    good = validate(str(tmp_path / "good.npz"), files["sequence"], data=files["x"])
    (result,) = good.results
    assert good.verdict is not None
    assert (good.verdict.status, result.reference.engine, result.groups[0].rows) == ("pass", "saved", 5)
    rounding = result.groups[0].rounding
    assert rounding is not None
    assert rounding.of_candidate
    (pairs,) = (notice.message for notice in good.notices if notice.code == "by-position")
    assert pairs == "good.npz calls its outputs otherwise, and they were taken in order: frames as y, places as best"
    for name, array in (("y", y.copy()), ("best", best.copy())):
        array[3, 2, ...] = array[3, 2, ...] + array.dtype.type(1)
        np.savez(tmp_path / "bad.npz", **{"y": y, "best": best, name: array})
        bad = validate(str(tmp_path / "bad.npz"), files["sequence"], data=files["x"])
        assert bad.verdict is not None
        assert bad.verdict.exit_code == 4
        assert bad.results[0].worst[0].output == name
        assert bad.results[0].worst[0].row == 3


def test_a_tolerance_that_is_given_decides(files: dict[str, str]) -> None:
    report = validate(files["model"], files["half"], data=files["inputs"], atol=1e-3)
    (result,) = report.results
    assert (result.different, result.by_rounding) == (False, False)


@pytest.mark.parametrize(
    ("models", "data", "error", "words"),
    [
        (["model", "sequence"], "inputs", None, "the input is x"),
        (["model", "half"], "x", DataError, "no array 'image'"),
        (["broken", "broken"], "x", ModelError, "w1"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    files: dict[str, str], models: list[str], data: str | None, error: Any, words: str
) -> None:
    rows = None if data is None else files[data]
    if error is not None:
        with pytest.raises(error, match=words):
            validate(*(files[model] for model in models), data=rows)
        return
    report = validate(*(files[model] for model in models), data=rows)
    assert report.verdict is not None
    assert report.verdict.exit_code == 6
    assert words in str(report.results[0].failed)


def test_requests_whose_outputs_are_large_are_compared_one_by_one_and_may_be_refused(tmp_path: Path) -> None:
    table = np.ones((4, 8, 1 << 18), np.float32)
    graph = LOOKUP.replace("float[batch, T, 4] embedding", "float[batch, T, 8, n] embedding")
    model = str(save_graph(tmp_path / "large.onnx", graph, {"table": table}))
    np.savez(tmp_path / "ids.npz", ids=np.array([[[9]], [[0]], [[1]]]))
    (result,) = validate(model, model, data=str(tmp_path / "ids.npz")).results
    (group,) = result.groups
    assert (group.rows, group.refused_by_both, group.failing, result.failed) == (3, 1, 0, None)
    np.savez(tmp_path / "beyond.npz", ids=np.array([[[9]], [[8]]]))
    with pytest.raises(EngineError, match="out of data bounds"):
        validate(model, model, data=str(tmp_path / "beyond.npz"))


def test_without_data_requests_are_drawn(files: dict[str, str]) -> None:
    engines = ["onnxruntime", "onnxruntime:optimization=off"]
    report = validate(files["sequence"], engines=engines, rows=4)
    (group,) = report.results[0].groups
    assert (group.name, group.rows, group.failing) == ("drawn", 4, 0)
    assert [(drawn.name, drawn.dtype) for drawn in report.inputs] == [("x", "float32")]
    assert "shape-drawn" in {notice.code for notice in report.notices}
    assert "requests" not in report.settings


def test_rows_of_a_table_that_no_request_looks_up_are_looked_up_or_said_to_be_others(tmp_path: Path) -> None:
    table = np.random.default_rng(0).normal(size=(1_000, 4)).astype(np.float32)
    first = save_graph(tmp_path / "first.onnx", LOOKUP, {"table": table})
    table[990:] += 1
    second = save_graph(tmp_path / "second.onnx", LOOKUP, {"table": table})
    np.savez(tmp_path / "ids.npz", ids=np.arange(32).reshape(2, 1, 16))
    (result,) = validate(str(first), str(second), data=str(tmp_path / "ids.npz")).results
    assert {group.name: group.failing for group in result.groups} == {"data": 0, "stacked": 0, "looked up": 4}
    assert [cause.name for cause in result.causes] == ["other weights"]
    report = validate(str(first), str(second), data=str(tmp_path / "ids.npz"), probes="off")
    (notice,) = (notice for notice in report.notices if notice.code == "unreached-weights")
    assert "second.onnx stores other numbers in table by up to 1.0e+00 (10 of 1,000 rows)" in notice.message
    assert report.verdict is not None
    assert report.verdict.exit_code == 0


@pytest.mark.parametrize("strict", [False, True])
def test_what_no_request_has_read_is_noted(tmp_path: Path, *, strict: bool) -> None:
    graph = """rare (float[n, 2, 3] x) => (float[n, 2, 3] y) {
        highest = ReduceMax<keepdims = 0>(x)
        is_high = Greater(highest, limit)
        y = If(is_high) <
            then_branch = high () => (float[n, 2, 3] scaled) {
                base = Constant<value = float {2}>()
                some = Pow(base, x)
                scaled = Mul(some, factor)
            },
            else_branch = low () => (float[n, 2, 3] kept) { kept = Identity(x) }>
    }"""
    limit, factors = np.array(1000, np.float32), np.array([3, 4, 4], np.float32)
    models = []
    for i, text in enumerate((graph, graph.replace("{2}", "{5}"), graph.replace("Pow(base, x)", "Pow(x, base)"))):
        models.append(str(save_graph(tmp_path / f"{i}.onnx", text, {"limit": limit, "factor": factors[i]})))
    report = validate(*models, strict=strict)
    messages = {notice.code: notice.message for notice in report.notices}
    assert messages["unreached-weights"].startswith("2.onnx stores other numbers in factor by up to 1.0e+00, which no")
    inner = "1.onnx stores other numbers in y/then_branch/base by up to 3.0e+00, factor by up to 1.0e+00, which no"
    assert any(notice.message.startswith(inner) for notice in report.notices)
    nodes = (
        "2.onnx computes otherwise than the reference, as no request here has shown: Pow 'some' (its inputs in another"
    )
    assert messages["unreached-nodes"].startswith(nodes)
    assert [result.different for result in report.results] == [strict, strict]


@pytest.mark.parametrize("strict", [False, True])
def test_weights_in_fewer_bits_that_hardly_matter_are_noted(tmp_path: Path, *, strict: bool) -> None:
    weights = image_weights()
    weights["w"] *= np.float32(1e-5)
    first = save_graph(tmp_path / "first.onnx", IMAGES, weights)
    second = save_graph(tmp_path / "second.onnx", IMAGES, {**weights, "w": half(weights["w"])})
    report = validate(str(first), str(second), strict=strict)
    (notice,) = (notice for notice in report.notices if notice.code == "rounded-weights")
    assert notice.message.startswith("second.onnx and the reference hold w by up to")
    assert report.results[0].different == strict


def test_networks_that_answer_nothing_finite_are_not_the_same(files: dict[str, str], tmp_path: Path) -> None:
    np.savez(tmp_path / "lost.npz", image=images(2) * np.float32(np.nan))
    report = validate(files["model"], files["shifted"], data=str(tmp_path / "lost.npz"))
    assert report.verdict is not None
    assert (report.verdict.status, report.verdict.exit_code) == ("failed", 6)
    assert "NaN or infinite" in str(report.results[0].failed)


def test_nor_are_rows_of_a_table_without_a_number(tmp_path: Path) -> None:
    graph = "linear (float[batch, 3] x) => (float[batch, 1] y) { y = MatMul(x, w) }"
    models = [save_graph(tmp_path / f"{i}.onnx", graph, {"w": np.full((3, 1), i, np.float32)}) for i in (1, 2)]
    np.save(tmp_path / "lost.npy", np.full((4, 3), np.nan, dtype=np.float32))
    report = validate(*map(str, models), data=str(tmp_path / "lost.npy"), probes="off")
    assert report.verdict is not None
    assert (report.verdict.status, report.verdict.exit_code) == ("failed", 6)


def test_branches_whose_input_no_request_chooses_at_first_are_taken(tmp_path: Path) -> None:
    graph = """g (float[n, 2, 3] x, int64 rate) => (float[n, 2, 3] y) {
        usual = Constant<value_int = 16000>()
        is_usual = Equal(rate, usual)
        y = If(is_usual) <
            then_branch = high () => (float[n, 2, 3] first) { first = Identity(x) },
            else_branch = low () => (float[n, 2, 3] second) { second = Mul(x, factor) }>
    }"""
    models = [save_graph(tmp_path / f"{i}.onnx", graph, {"factor": np.array(i, np.float32)}) for i in (2, 3)]
    (result,) = validate(*map(str, models)).results
    failing = {group.name: group.failing for group in result.groups}
    assert (failing["drawn"], failing["varied"]) == (0, 4)


def test_inputs_that_one_side_lacks_are_said(tmp_path: Path) -> None:
    two = "a (float[n, 2, 3] x, float[n, 2, 3] mask) => (float[n, 2, 3] y) { y = Relu(x) }"
    reference = str(save_graph(tmp_path / "two.onnx", two))
    one = str(save_graph(tmp_path / "one.onnx", two.replace(", float[n, 2, 3] mask", "")))
    report = validate(reference, one, rows=2)
    assert report.verdict is not None
    assert report.verdict.status == "pass"
    messages = [notice.message for notice in report.notices if notice.code == "other-inputs"]
    assert messages == ["one.onnx has no input 'mask': it answered without what the reference was fed there"]
    other = validate(one, reference, rows=2)
    assert other.results[0].failed is not None
    assert other.results[0].failed.startswith("two.onnx takes other inputs than the reference")
