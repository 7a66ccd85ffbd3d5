"""How a comparison is shown: what stands in a line, what follows, and nothing lost in a narrow terminal."""

import csv
import io
from dataclasses import replace
from typing import Any

import pytest

from infer_bench.report.common import Notice, Report, Rounding, Verdict
from infer_bench.report.serialize import dump, load_report
from infer_bench.report.validate import (
    Cause,
    ComparedModel,
    OutputDelta,
    TensorDelta,
    ValidateGroup,
    ValidateReport,
    ValidateResult,
    WorstRow,
)
from infer_bench.reporters.registry import render
from infer_bench.reporters.text import numbers
from infer_bench.reporters.text.layout import measure_width
from infer_bench.reporters.validate import columns as validate_columns
from tests.reports import CREDIT, ENVIRONMENT, ONNX

SAME = ValidateGroup(
    "data", 48_744, 7.3e-8, 0, 0, 0, mean_abs_delta=1.1e-9, p999_abs_delta=6e-8, histogram={"-8": 48_744}
)
OUTPUTS = tuple(
    OutputDelta(name, size, size, size, size, 1, 1, size, 1, 0, 0) for name, size in (("low", 0.1), ("high", 0.4))
)
OTHER = replace(
    SAME,
    name="thresholds",
    rows=3_012,
    max_abs_delta=0.379,
    label_changes=8,
    flips=8,
    failing=8,
    refusals=2,
    outputs=OUTPUTS,
    histogram={"exact": 5, "-1": 8, "-9": 2999},
)
INFINITE = ValidateGroup("infinite", 512, 0.0, None, 0, 0, refused_by_both=512)
CAUSE = Cause(
    "threshold cast",
    8,
    8,
    "thresholds are rounded to float32, 211 up",
    "infer-bench convert credit.txt -o labels.onnx",
    "data",
    213,
    17,
    "days_employed",
    "days_employed ≤ -0.010099999602",
    -0.0101,
)
WORST = WorstRow("data", 213, "low", 0.612, None, float("inf"), features={"days_employed": -0.0101, "job": "nurse"})
DIFFERENT = ValidateResult(
    ComparedModel("lightgbm", CREDIT, "float64"),
    ComparedModel("onnxruntime", ONNX, "float32"),
    None,
    1e-4,
    0.0,
    "probability of class 1",
    (SAME, OTHER, INFINITE),
    (CAUSE,),
    worst=(WORST,),
    different=True,
)
PASSING = replace(DIFFERENT, groups=(SAME,), causes=(), worst=(), different=False, smallest_passing_atol=7.3e-8)


def report(*results: ValidateResult, threshold: float | None = 0.494) -> ValidateReport:
    verdict = Verdict("different", 4, ("labels.onnx: 8 of 52,268 rows differ",))
    return Report(
        "validate",
        "0.1.0",
        "2026-01-01T00:00:00+00:00",
        {"data": "/rows/clients.parquet", "threshold": threshold},
        ENVIRONMENT,
        results,
        (Notice("by-position", "labels.onnx does not name its columns"),),
        verdict if any(result.different for result in results) else Verdict("pass", 0),
    )


@pytest.mark.parametrize("width", [None, 130, 80, 40, 20])
def test_a_table_fits_and_loses_nothing(width: int | None) -> None:
    text = render(report(DIFFERENT), "table", width=width)
    lines = text.splitlines()
    assert width is None or max(map(measure_width, lines)) <= width
    squeezed = "".join(text.split())
    for cell in ("48,744", "3.8e-01", "DIFFERENT", "refused", "thresholdcast", "213", "days_employed", "tree17", "inf"):
        assert cell in squeezed, cell


@pytest.mark.parametrize("form", ["table", "markdown", "csv", "json"])
@pytest.mark.parametrize(
    "results", [(DIFFERENT,), (PASSING,), (DIFFERENT, PASSING), (replace(PASSING, groups=(), failed="crashed"),), ()]
)
def test_a_saved_report_is_shown_as_the_first(form: str, results: tuple[ValidateResult, ...]) -> None:
    original = report(*results)
    assert render(load_report(dump(original)), form) == render(original, form)


def test_a_pass_says_how_near_it_was() -> None:
    text = render(report(PASSING), "table")
    assert "Smallest tolerance that would pass: 7.30e-08" in text
    assert "Why" not in text
    assert text.rstrip().endswith("pass: same answers")


def test_the_tolerance_that_passes_stands_beside_the_relative_one_that_it_needs() -> None:
    """`0` alone would not pass: `--atol 0` takes the relative one away."""
    same = replace(DIFFERENT, groups=(SAME,), causes=(), worst=(), different=False)
    text = render(report(replace(same, smallest_passing_atol=0.0, rtol=1e-5)), "table")
    assert "Smallest tolerance that would pass: 0 + 1e-5 of the answer" in text


@pytest.mark.parametrize("form", ["table", "markdown", "html"])
def test_a_part_without_rows_does_not_say_that_answers_are_the_same(form: str) -> None:
    text = render(report(replace(DIFFERENT, groups=(), causes=(), worst=(), different=False)), form)
    assert "this part has no rows" in text
    assert "same answers" not in text


def test_what_no_tolerance_passes_is_counted() -> None:
    assert validate_columns.describe_passing(DIFFERENT) == (
        "No tolerance would pass: 8 labels change; 8 rows flip; 2 rows are answered by one side only."
    )


@pytest.mark.parametrize(
    ("result", "keys"),
    [
        (PASSING, {"n", "max", "mean", "p999", "flips", "labels", "verdict"}),
        (
            replace(PASSING, groups=(replace(SAME, label_changes=None),)),
            {"n", "max", "mean", "p999", "flips", "verdict"},
        ),
    ],
)
def test_columns_that_say_nothing_are_left_out(result: ValidateResult, keys: set[str]) -> None:
    assert set(validate_columns.select_columns(report(result), [result])) == keys


def test_nothing_explained_is_said() -> None:
    left_open = replace(
        DIFFERENT, causes=(), not_explained=8, why="not explained: no known cause accounts for the rows"
    )
    assert validate_columns.explain_difference(left_open) == ["Not explained: no known cause accounts for the rows."]
    assert validate_columns.locate_first(left_open) == ""


def test_csv_holds_a_row_a_group_and_output() -> None:
    rows = list(csv.DictReader(io.StringIO(render(report(DIFFERENT), "csv"))))
    assert [(row["group"], row["output"]) for row in rows] == [
        ("data", "all"),
        ("thresholds", "all"),
        ("thresholds", "low"),
        ("thresholds", "high"),
        ("infinite", "all"),
    ]
    assert float(rows[1]["max_abs_delta"]) == 0.379


def test_a_histogram_counts_every_pair() -> None:
    lines = validate_columns.draw_histogram(DIFFERENT)
    assert sum(int(number.replace(",", "")) for _, _, number in lines) == 48_744 + 5 + 8 + 2999
    assert all(bar for _, bar, _ in lines)


@pytest.mark.parametrize(
    ("value", "number"), [(0.0, "0"), (0.37891, "0.379"), (0.37800001, "0.379"), (7.301e-8, "7.31e-08"), (123.4, "124")]
)
def test_a_tolerance_is_rounded_up(value: float, number: str) -> None:
    assert numbers.tolerance(value) == number
    assert float(number) >= value


@pytest.mark.parametrize(
    ("value", "number"), [(1e-4, "1e-4"), (2.5e-6, "2.5e-6"), (0.01, "0.01"), (0.0, "0"), (2.0, "2")]
)
def test_a_limit_is_written_as_one_writes_it(value: float, number: str) -> None:
    assert numbers.limit(value) == number


@pytest.mark.parametrize(("value", "number"), [(1.0, "1"), (0.99999, "0.9999"), (-0.5, "-0.5000"), (None, "–")])
def test_a_correlation_is_never_rounded_to_one(value: Any, number: str) -> None:
    assert numbers.correlation(value) == number


LOGITS = OutputDelta("logits", 1.3e-6, 1e-7, 1e-6, 0.1, 9, 9, 2.1e-7, 0, 0, 0, tensor=TensorDelta(
    "float32", (1, 1000), largest=18.0, label_changes=0, rounding=Rounding(0.63, 1.9e-7, 2.1e-7)))  # fmt: skip
MOVED = Rounding(242.0, 2e-7, 5e-5, method="noise")
BOXES = OutputDelta("boxes", 5e-4, 1e-5, 1e-4, 0.1, 9, 9, 5e-5, 3, 0, 1, tensor=TensorDelta(
    "float32", (1, 300, 4), varies=True, largest=320.0, rounding=MOVED))  # fmt: skip
KEPT = OutputDelta("kept", 1.0, 0.0, 0.0, 1.0, 1, 1, 0.1, 1, 0, 0, tensor=TensorDelta(
    "int64", (17,), candidate_shape=(18,), unlike_request=4, largest=90.0, exact=True, unequal=2, ties=1))  # fmt: skip
WORDS = OutputDelta("x" * 340, 0.0, 0.0, 0.0, 0.0, 0, 0, 0.0, 0, 0, 0, tensor=TensorDelta("text", (1,), exact=True))
NETWORK = replace(
    DIFFERENT,
    groups=(
        ValidateGroup(
            "data",
            12,
            5e-4,
            0,
            0,
            1,
            failing=3,
            outputs=(LOGITS, BOXES, KEPT, WORDS),
            missing_outputs=("mask",),
            rounding=MOVED,
        ),
    ),
    causes=(),
    worst=(WorstRow("data", 3, "boxes", 12.0, 12.0005, 5e-4, place=(0, 17, 3)),),
    by_rounding=True,
)


def test_every_output_of_a_network_has_a_line() -> None:
    text = render(report(NETWORK, threshold=None), "table", width=None)
    for words in (
        "12 requests of clients.parquet",
        "÷ largest",
        "logits float32 1×1000",
        "boxes float32 1×300×4, …",
        "The candidate gives no output mask.",
        "kept int64 17: is 18 where the reference gives 17 in request 4; 2 values differ.",
        "1 value is NaN or infinite on one side; the error is 242× what the reference rounds",
        "request 3 of data: boxes[0, 17, 3] 12 against 12.0005",
        "5.0e-05 apart, where an ulp in weights and requests moves 2.0e-07: 242×",
    ):
        assert words in text
    lines = [line.split() for line in text.splitlines()]
    (line,) = [cells for cells in lines if cells[:3] == ["logits", "float32", "1×1000"]]
    assert line[3:] == ["1.3e-06", "7.2e-08", "2.1e-07", "0", "0", "0.6×", "ok"]
    assert "x" * 41 not in text


@pytest.mark.parametrize("width", [130, 80, 40, 20])
def test_the_outputs_of_a_network_fit(width: int) -> None:
    lines = render(report(NETWORK), "table", width=width).splitlines()
    assert max(map(measure_width, lines)) <= width


@pytest.mark.parametrize("form", ["table", "markdown", "csv", "json"])
def test_a_saved_report_on_a_network_is_shown_as_the_first(form: str) -> None:
    assert render(load_report(dump(report(NETWORK))), form) == render(report(NETWORK), form)
