"""What `from infer_bench import …` gives, and that asking for it is what imports it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import infer_bench
from infer_bench import bench, load_report
from infer_bench.errors import UsageError
from infer_bench.report.bench import BenchReport
from infer_bench.report.serialize import dump

SAMPLES = Path(__file__).parent.parent / "sample_models"


def test_every_public_name_is_there_and_documented() -> None:
    for name in infer_bench.__all__:
        value = getattr(infer_bench, name)
        assert isinstance(value, str) or (callable(value) and value.__doc__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        infer_bench.nothing  # noqa: B018


def test_bench_returns_the_report_that_the_command_writes(tmp_path: Path) -> None:
    partial_reports: list[BenchReport] = []
    report = bench(
        str(SAMPLES / "digits.txt"),
        data=str(SAMPLES / "digits.parquet"),
        candidates=["lightgbm:feed=ndarray", "onnxruntime:feed=ndarray"],
        rounds=3,
        save=partial_reports.append,
    )
    assert [result.candidate for result in report.results] == ["lightgbm:feed=ndarray", "onnxruntime:feed=ndarray"]
    other = report.results[1]
    assert other.max_abs_delta is not None
    assert other.max_abs_delta <= 1e-12
    assert other.label_changes == 0
    assert [partial.complete for partial in partial_reports[:-1]] == [False] * (len(partial_reports) - 1)
    assert len(partial_reports) > 1
    assert partial_reports[-1] == report
    path = tmp_path / "report.json"
    path.write_bytes(dump(report))
    assert load_report(path) == report


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(UsageError, match="batch size"):
        bench(str(SAMPLES / "digits.txt"), batches=(0,))


@pytest.mark.parametrize(
    ("keywords", "text"),
    [
        ({"agianst": "old.txt"}, r"no setting 'agianst' \(did you mean against\?\)"),
        ({"budget": "5s"}, r"no setting 'budget' \(did you mean budget_s\?\)"),
        ({"budget_s": "5s"}, "budget_s is no number: '5s'"),
        ({"against": "old.txt", "max_regression": 0.05}, "max_regression is no text: 0.05"),
        ({"limits": None}, "limits is no list of texts: None"),
        ({"limits": [5]}, "limits is no list of texts"),
        ({"batches": 64}, "batches is no list of whole numbers: 64"),
        ({"threads": True}, "threads is no whole number: True"),
        ({"alpha": "1%"}, "alpha is no number"),
        ({"candidates": "nothing"}, "there is no engine 'nothing'"),
    ],
)
def test_a_keyword_that_is_misspelt_or_of_another_type_is_one_line(keywords: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        bench(SAMPLES / "digits.txt", **keywords)


def test_the_package_imports_no_engine_and_no_array_library() -> None:
    code = "import sys, infer_bench; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "pandas", "typer", "lightgbm", "onnxruntime"} & set(modules)
