"""A quantisation on every width, and what its sentences say."""

from dataclasses import replace

import pytest

from infer_bench.report.common import DrawnInput, ModelInfo, Notice, Quality, Report, Verdict
from infer_bench.report.quantize import (
    Blame,
    Flips,
    Layers,
    LimitCheck,
    QuantizeReport,
    QuantizeResult,
    TimeRatio,
)
from infer_bench.reporters.registry import render
from infer_bench.reporters.text.layout import measure_width
from tests.reports import ENVIRONMENT

MODEL = ModelInfo("/models/net <b>.onnx", "onnx", "onnx", "ab" * 32, 347_800)
ORIGINAL = QuantizeResult("original", "as it is", MODEL, bytes=347_800, quality=Quality(0.9777, 0.9776, 0.9991))
INT8 = QuantizeResult(
    "u8s8",
    "int8",
    MODEL,
    bytes=102_603,
    layers=(Layers("MatMul", 9, 7, "2 without constant weights"),),
    max_abs_delta=0.765,
    deltas={"p": 0.765},
    precise_max_abs_delta=0.036,
    saturates=True,
    batch_max_abs_delta=2.57,
    batch_invariant=False,
    flips=Flips(897, 20, 6, 14, 0.115),
    quality=Quality(0.9889, 0.9888, None),
    times=(TimeRatio(1, 0.93, 0.9, 0.96, 16_000, 15_000), TimeRatio(64, 1.15, None, None, 300_000, 345_000)),
    checks=(LimitCheck("flips", 0.01, 20 / 897, 0.0123, 0.0371, "broken"),),
    blame=(Blame("conv1", 0.056), Blame("conv2", 0.765)),
    blame_max_abs_delta=0.771,
)
FAILED = QuantizeResult("dynamic", "int8, dynamic", MODEL, failed="the tool\nsays no")
REPORT: QuantizeReport = Report(
    "quantize", "0.1.0", "2026-01-01T00:00:00+00:00", {}, ENVIRONMENT, (ORIGINAL, INT8, FAILED),
    (Notice("rows-split", "300 rows calibrate and 897 others judge"),), Verdict("different", 4, ("none",)),
)  # fmt: skip


@pytest.mark.parametrize("width", [40, 80, 120, None])
def test_every_width_holds_every_figure(width: int | None) -> None:
    text = render(REPORT, "table", width=width)
    assert width is None or max(map(measure_width, text.splitlines())) <= width
    for figure in (".9777", ".9889", "7.7e-01", "0.93×", "1.15×", "broken", "failed", "20"):
        assert figure in text


def test_what_stands_behind_the_figures_is_said() -> None:
    text = render(REPORT, "table")
    assert "int8: classes that flip 2.23 % (1.23 to 3.71 %), limit 1 %" in text
    assert "quantised are 7 of 9 MatMul (2 without constant weights)" in text
    assert "sums saturate on this CPU (max |Δ| 7.7e-01, without it 3.6e-02): a CPU with VNNI" in text
    assert "not batch-invariant: a row's prediction moves by up to 2.6" in text
    assert "left in float32: conv1: Δ 7.7e-01 → 5.6e-02\n" in text
    assert "int8, dynamic: the tool says no" in text
    assert "no file is written" in text


def test_speeds_have_their_intervals_and_their_batch_where_there_is_one() -> None:
    text = render(REPORT, "table")
    assert "speed ×64" in text
    assert "0.93× (0.90–0.96)" in text
    whole = replace(INT8, times=(TimeRatio(0, 0.93, 0.9, 0.96, 16_000, 15_000),), output=MODEL)
    text = render(replace(REPORT, results=(ORIGINAL, whole)), "table")
    assert "speed ×" not in text
    assert "smaller, not faster here: 0.93×\n" in text


def test_layers_that_change_nothing_are_not_to_blame() -> None:
    same = replace(INT8, blame=(Blame("conv1", 0.77), Blame("conv2", 0.771)))
    text = render(replace(REPORT, results=(ORIGINAL, same)), "table")
    assert "int8: no layer alone is to blame: with any one left in float32 Δ stays 7.7e-01" in text
    assert "conv2" not in text


def test_what_is_written_is_named() -> None:
    written = replace(INT8, output=replace(MODEL, path="/models/small.onnx", bytes=102_603), excluded=("conv1",))
    report = replace(REPORT, results=(ORIGINAL, written), verdict=Verdict("pass", 0))
    for format in ("table", "markdown"):
        text = render(report, format)
        assert "small.onnx is written: int8, 1 layer in float32, 0.10 MB of 0.35 MB" in text
        assert "smaller, not faster here: 0.93× at batch 1" in text
    assert "<b>" not in render(report, "markdown").replace("\\<b\\>", "")


@pytest.mark.parametrize("name", ["table", "markdown", "html"])
def test_it_is_said_what_drawn_rows_hold(name: str) -> None:
    inputs = (DrawnInput(MODEL.path, "ids", "int64", ((1, 16),), "0 to 29999, rows of a table"),)
    assert "1x16, 0 to 29999" not in render(REPORT, name)
    assert "ids 1x16, 0 to 29999, rows of a table" in render(replace(REPORT, inputs=inputs), name)
