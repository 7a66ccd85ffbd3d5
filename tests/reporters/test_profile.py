"""A profile as text: the closing sentence follows from the numbers, and no width loses a column."""

import shlex
from dataclasses import replace
from typing import Any

import pytest

from infer_bench.machine.environment import describe
from infer_bench.report.common import Latency, ModelInfo, Notice, Report, Verdict
from infer_bench.report.profile import (
    Change,
    FunctionCost,
    MemoryUse,
    OperatorCost,
    ProfileDiff,
    ProfileReport,
    ProfileResult,
    Step,
    TypicalRequest,
)
from infer_bench.report.serialize import dump, load_report
from infer_bench.reporters.profile.columns import tabulate_operators
from infer_bench.reporters.profile.sentences import write_closing
from infer_bench.reporters.registry import render
from infer_bench.reporters.text.layout import measure_width

MACHINE = describe(())
MODEL = ModelInfo("/models/credit.txt", "lightgbm", "lightgbm-text", "00", 1_000, "binary", 400, 100)


def latency(p50: int) -> Latency:
    return Latency(p50, p50, None, p50, p50, p50, 200, needs={"p99": 473})


def row(before: int, predict: int, after: int, rest: int = 0, **more: Any) -> ProfileResult:
    whole = before + predict + after + rest
    fields: dict[str, Any] = {
        "candidate": "lightgbm:feed=dataframe",
        "engine": "lightgbm",
        "options": {"feed": "dataframe", "threads": "1"},
        "model": MODEL,
        "batch": 1,
        "request": latency(whole),
        "typical": TypicalRequest(whole, before, predict, after),
        "unaccounted_ns": rest,
        "probe_ns": 120,
        "does": {"preprocess": "DataFrame + reindex", "predict": "Booster.predict", "postprocess": "to the answer"},
    }
    return ProfileResult(**{**fields, **more})


def report(*rows: ProfileResult, **more: Any) -> ProfileReport:
    settings = {"rows_cycled": 1024, "rows_source": "rows.csv", "target": "credit.txt", "threads": 1, "split": True}
    return Report("profile", "0", "2026-01-01T00:00:00+00:00", settings, MACHINE, rows, **more)


def closing_of(one: ProfileResult) -> str:
    return " ".join(write_closing(report(one), one))


ARRAY: dict[str, Any] = {"candidate": "lightgbm:feed=ndarray", "options": {"feed": "ndarray"}}
ONNX: dict[str, Any] = {"candidate": "onnxruntime", "engine": "onnxruntime", "options": {"feed": "ndarray"}}
CALL: dict[str, Any] = {"candidate": "app:f", "engine": "callable", "options": {}}


@pytest.mark.parametrize(
    ("one", "words", "absent"),
    [
        (
            row(520_000, 160_000, 30_000, steps=(Step("preprocess", "DataFrame build", 1.0, 500_000),)),
            "The model is 23 % of the request. A faster engine can save at most 160 µs; feed=ndarray can save up to "
            "500 µs. Try: infer-bench bench credit.txt -e lightgbm:feed=ndarray -e onnxruntime",
            "",
        ),
        (
            row(520_000, 160_000, 30_000, steps=(Step("preprocess", "DataFrame build", 1.0, 520_000),), rest=-10_000),
            "feed=ndarray can save up to 513 µs",
            "",
        ),
        (row(10_000, 80_000, 1_000, **ARRAY), "The model is 88 % of the request", "DataFrame"),
        (row(80_000, 10_000, 1_000, **ARRAY), "preprocess takes 80.0 µs (88 %)", "feed=ndarray can"),
        (row(10_000, 80_000, 1_000, **ONNX), "can save at most 80.0 µs", "Try"),
        (
            row(100, 800, 10, steps=(Step("predict", "frame to array", 1.0, 700),), **CALL),
            "DataFrames take 77 % of the request (700 ns). The model is 88 % of the request, 700 ns of it turning",
            "Try",
        ),
    ],
)
def test_the_sentence_follows_from_the_numbers(one: ProfileResult, words: str, absent: str) -> None:
    assert words in closing_of(one)
    assert not absent or absent not in closing_of(one)


@pytest.mark.parametrize(
    "one",
    [
        row(40_000, 45_000, 15_000),
        row(80_000, 10_000, 1_000, rest=20_000),
        row(0, 90_000, 0, **{**CALL, "does": {"predict": "the whole function"}}),
        replace(row(1, 1, 1), typical=None, unaccounted_ns=None, request=None),
    ],
    ids=["nothing stands out", "the phases do not sum up", "a function in one piece", "nothing was measured"],
)
def test_nothing_is_said_when_nothing_follows(one: ProfileResult) -> None:
    assert closing_of(one) == ""


FULL = row(
    520_000,
    160_000,
    30_000,
    -4_000,
    steps=(
        Step("preprocess", "DataFrame build", 1.0, 400_000),
        Step("preprocess", "reindex", 2.0, 120_000),
        Step("predict", "C call", 1.0, 100_000),
    ),
    import_ns=3_000_000_000,
    load_ns=50_000_000,
    first_request_ns=9_000_000,
    warmup_ns=100_000_000,
    warmup_steady=True,
    cpu_share=0.98,
    profiler="cprofile",
    profiled_requests=2_000,
    slowdown=1.8,
    functions=(
        FunctionCost("/venv/lib/python3.11/site-packages/pandas/core/frame.py", 466, "__init__", 2_000, 10, 900),
        FunctionCost("~", 0, "<built-in method builtins.isinstance>", 999_000, 400, 400),
        FunctionCost("/srv/me/日本語/a_very_long_folder_name/service.py", 1, "f" * 60 + "\x1b[31m", 1, 0, 1),
    ),
    function_count=300,
    profiled_ns=1_000,
    operators=(OperatorCost("node | 1", "TreeEnsemble", "CPUExecutionProvider", 100, 30_000),),
    operator_requests=100,
    memory=MemoryUse(30_000_000, 220_000_000, 225_000_000, 225_000_000, 170_000, 900, 200),
    diff=ProfileDiff(
        "lightgbm:feed=ndarray",
        "lightgbm:feed=dataframe",
        Change("request", 50_000, 706_000),
        (Change("preprocess", 20_000, 520_000),),
        (Change("/srv/app.py(build)", 0, 300), Change("<built-in method builtins.sum>", 100, 0)),
        1_000,
    ),
)
WHOLE = report(
    FULL,
    notices=(Notice("other-provider", "CUDA was asked for", "it has no kernel"),),
    verdict=Verdict("failed", 6, ("Add did not run on CUDA",)),
    complete=True,
)
EVERYTHING = (
    *("520 µs", "74 %", "160 µs", "30.0 µs", "-4.00 µs", "DataFrame build", "reindex (2 calls)", "C call"),
    *("first request", "slowed 1.80×", "999,000", "40 %", "90 %", "TreeEnsemble", "CPUExecutionProvider"),
    *("220 MB", "+190 MB", "14× slower", "gone", "new", "feed=ndarray can save", "CUDA was asked for"),
    *("it has no kernel", "Add did not run on CUDA"),
)


@pytest.mark.parametrize("width", [None, 200, 100, 80, 60, 40, 30])
def test_no_width_loses_a_number(width: int | None) -> None:
    text = render(WHOLE, "table", width=width)
    flat = " ".join(text.split())
    assert [one for one in EVERYTHING if one not in flat] == []
    assert "\x1b" not in text
    if width is not None:
        assert max(measure_width(line) for line in text.splitlines()) <= width


def test_markdown_holds_the_same_and_breaks_no_cell() -> None:
    text = render(WHOLE, "markdown")
    flat = text.replace("\\", "")
    assert [one for one in EVERYTHING if one not in flat] == []
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(tables) == 6
    for lines in tables:
        cells = {line.replace("\\|", "").count("|") for line in lines}
        assert len(cells) == 1


def test_of_many_operators_the_longest_are_listed_and_each_kind_is_summed() -> None:
    convolutions = tuple(OperatorCost(f"conv{i}", "Conv", "CPU", 1, 100 - i, "1x8x4x4") for i in range(30))
    others = tuple(OperatorCost(f"n{kind}", f"Kind{kind}", "CPU", 1, 10) for kind in range(10))
    kinds, nodes = tabulate_operators(replace(FULL, operators=convolutions + others))
    assert kinds.rows[0][:2] == ("Conv", "30")
    assert kinds.rows[-1][:2] == ("others", "3")
    assert nodes.title.startswith("top 20 of 40 operators")
    assert nodes.rows[0] == ("conv0", "Conv", "1x8x4x4", "CPU", "4 %")
    assert len(tabulate_operators(FULL)) == 1


def test_it_survives_json() -> None:
    assert load_report(dump(WHOLE)) == WHOLE


def test_shares_of_a_profiler_are_never_times() -> None:
    text = render(report(replace(FULL, diff=None, memory=None, steps=())), "table")
    functions = text[text.index("top 3 of 300") :].split("\n\n")[0]
    assert not any(unit in functions for unit in (" ns", " µs", " ms", " s "))


@pytest.mark.parametrize("width", [None, 60, 40])
def test_a_command_can_be_copied_whatever_the_width(width: int | None) -> None:
    frames = row(520_000, 160_000, 30_000, steps=(Step("preprocess", "DataFrame build", 1.0, 500_000),))
    command = render(report(frames), "table", width=width).partition("Try: ")[2]
    assert (" \\\n" in command) == (width is not None)
    words = shlex.split(command.replace("\\\n", ""))
    assert words[:7] == shlex.split("infer-bench bench credit.txt -e lightgbm:feed=ndarray -e onnxruntime")
