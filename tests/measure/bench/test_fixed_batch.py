"""Models whose batch is fixed: what can be measured is, and the rest says why not."""

from pathlib import Path
from typing import Any

import pytest

from infer_bench import bench, validate
from infer_bench.errors import EngineError
from infer_bench.measure.candidates.fixed_batch import choose_batch, explain_batch, fit_batches
from infer_bench.model import ModelSpec
from tests.faulty_networks import save_network

QUICK: dict[str, Any] = {"rounds": 1, "processes": 1}


def spec(batch: int | None) -> ModelSpec:
    return ModelSpec("raw", (), (), batch=batch)


def test_other_batch_sizes_fail_alone(tmp_path: Path) -> None:
    path = save_network(tmp_path / "fixed.onnx", batch=4)
    report = bench(str(path), batches=(8, 4, 3), **QUICK)
    by_batch = {result.batch: result for result in report.results}
    assert by_batch[4].failed is None
    assert by_batch[4].request is not None
    assert (by_batch[4].cold_start_ns or 0) > 0
    advice = "(use --batch 4, or export the model with a free batch axis)"
    assert by_batch[8].failed == f"the model's batch is fixed at 4: 8 rows are 2 requests to it {advice}"
    assert by_batch[3].failed == f"the model's batch is fixed at 4 {advice}"
    assert report.verdict is not None
    assert (report.verdict.status, report.verdict.exit_code, len(report.verdict.reasons)) == ("failed", 6, 2)


def test_beside_a_free_batch_only_the_fixed_one_is_left_out(tmp_path: Path) -> None:
    paths = [str(save_network(tmp_path / f"{name}.onnx", batch=size)) for name, size in (("a", 1), ("b", "n"))]
    results = bench(paths, batches=(1, 8), **QUICK).results
    failures = [(Path(result.model.path).stem, result.batch) for result in results if result.failed]
    assert failures == [("a", 8)]
    assert [result.max_abs_delta for result in results if result.batch == 1][1] == pytest.approx(0, abs=1e-6)


def test_a_model_that_takes_none_of_them_fails_before_anything_is_asked(tmp_path: Path) -> None:
    result = bench(str(save_network(tmp_path / "fixed.onnx", batch=4)), batches=(3, 8), **QUICK).results[0]
    assert str(result.failed).startswith("the model's batch is fixed at 4 (use --batch 4")


def test_without_a_batch_it_is_the_fixed_one(tmp_path: Path) -> None:
    (result,) = bench(str(save_network(tmp_path / "fixed.onnx", batch=4)), **QUICK).results
    assert (result.batch, result.failed) == (4, None)
    assert fit_batches((1,), [spec(4), spec(4)]) == (4,)
    for batches, specs in (((1,), [spec(4), spec(None)]), ((1,), [spec(None)]), ((1, 8), [spec(4)]), ((8,), [spec(4)])):
        assert fit_batches(batches, specs) == batches


def test_which_batch_a_model_takes() -> None:
    assert (choose_batch(spec(None), (8, 1)), choose_batch(spec(4), (1, 4))) == (8, 4)
    with pytest.raises(EngineError, match="fixed at 4"):
        choose_batch(spec(4), (1, 8))
    assert explain_batch(spec(1), 8) is not None
    assert "requests" not in str(explain_batch(spec(1), 8))


@pytest.mark.parametrize("batch", [1, 3])
def test_validate_cuts_rows_into_requests_of_the_fixed_batch(tmp_path: Path, batch: int) -> None:
    paths = [str(save_network(tmp_path / f"{name}.onnx", batch=size)) for name, size in (("a", batch), ("b", "n"))]
    for pair in (paths, paths[::-1]):
        result = validate(*pair).results[0]
        assert (result.failed, result.different, result.by_rounding) == (None, False, True)
        assert {group.name: group.rows for group in result.groups}["one at a time"] == 64
