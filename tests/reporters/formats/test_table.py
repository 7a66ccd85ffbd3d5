"""The table as a whole, at the widths of a terminal; `tests/gold/README.md` says how to renew the expected text."""

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infer_bench.report.common import Notice, Report, Verdict
from infer_bench.reporters import registry
from infer_bench.reporters.bench.columns import fill_line, rank_droppable, select_columns
from infer_bench.reporters.bench.groups import group_results
from infer_bench.reporters.registry import render
from infer_bench.reporters.text.layout import measure_width
from tests import reports, strategies

GOLD = Path(__file__).parent / "gold"
REPORTS = {"credit": reports.report(), "troubled": reports.troubled(), "wide": reports.wide()}
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("width", [130, 80, 40, None])
def test_gold(name: str, width: int | None) -> None:
    gold = GOLD / f"{name}-{width or 'pipe'}.txt"
    text = render(REPORTS[name], "table", width=width)
    if os.environ.get("UPDATE_GOLD"):
        gold.write_text(text, encoding="utf-8")

    assert text == gold.read_text(encoding="utf-8")


@pytest.mark.parametrize("phases", [False, True])
@pytest.mark.parametrize("width", [40, 60, 80, 100, 115, 130, 200])
@pytest.mark.parametrize("name", REPORTS)
def test_it_fits_the_terminal(name: str, width: int, phases: bool) -> None:
    text = render(REPORTS[name], "table", width=width, phases=phases)

    assert max(map(measure_width, text.splitlines())) <= width


def columns_of(report: Report[Any], width: int | None) -> tuple[list[str], list[str]]:
    """The titles that are shown, and those that are said not to be."""
    flat = re.sub(r"\s+", " ", render(report, "table", width=width))
    named = re.search(r"not shown: (.*?) \(--wide shows all\)", flat)
    left_out = named[1].split(", ") if named else []
    return [title for title in select_columns(report, phases=False).values() if title not in left_out], left_out


@pytest.mark.parametrize("width", [20, 30, 40, 60, 80, 100, 115])
@pytest.mark.parametrize("name", REPORTS)
def test_a_narrow_terminal_says_which_columns_it_does_without(name: str, width: int) -> None:
    report = REPORTS[name]
    kept, left_out = columns_of(report, width)
    flat = re.sub(r"\s", "", render(report, "table", width=width))
    lines = [
        fill_line(r, g, report.settings)
        for c in group_results(report.results, report.settings)
        for g in c
        for r in g.results
        if r.request
    ]
    titles = select_columns(report, phases=False)

    assert {"p50", "speed-up", "max |Δ|"} <= set(kept)
    assert left_out == [title for title in titles.values() if title not in kept]
    cells = {line.cells[key] for line in lines for key, title in titles.items() if title in kept}
    assert not [cell for cell in cells if re.sub(r"\s", "", cell) not in flat]


@pytest.mark.parametrize("name", REPORTS)
def test_columns_go_in_their_order_of_rank(name: str) -> None:
    titles = select_columns(REPORTS[name], phases=False)
    ranks = [titles[key] for key in rank_droppable({}) if key in titles]
    left_out = [columns_of(REPORTS[name], width)[1] for width in (130, 100, 80, 60, 40)]

    assert all(set(columns) == set(ranks[: len(columns)]) for columns in left_out)
    assert [len(columns) for columns in left_out] == sorted(len(columns) for columns in left_out)


def test_a_pipe_and_a_wide_terminal_lose_no_column() -> None:
    assert not columns_of(reports.report(), None)[1]
    assert not columns_of(reports.report(), 130)[1]
    assert "not shown" not in render(reports.report(), "table")


def test_one_line_a_row_from_115_columns_on() -> None:
    lines = render(reports.report(), "table", width=115).splitlines()

    assert len([line for line in lines if line.startswith(("lightgbm", "onnxruntime feed"))]) == 3
    assert "file" in lines[3] or "file" in lines[2]


def test_the_time_of_all_threads_stands_beside_that_of_the_clock_where_it_was_counted() -> None:
    busy = [replace(result, cpu_ns=231_000, cpu_share=3.8, allocated_bytes=12_300) for result in reports.credit()]
    text = render(reports.report(*busy, settings={"memory": True}), "table")
    head, first, *_ = text.splitlines()[2:]
    assert head.split()[-5:] == ["file", "CPU", "CPU", "%", "allocates"]
    assert first.endswith("231 µs   380 %     12.3 kB")
    assert "CPU" not in render(reports.report(), "table")


@pytest.mark.parametrize("width", [80, 100])
def test_one_line_a_row_on_an_ordinary_terminal(width: int) -> None:
    lines = render(reports.report(), "table", width=width).splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("lightgbm"))
    stop = next(place for place, line in enumerate(lines) if "request =" in line)

    assert stop - start == 3


def test_names_that_leave_no_room_stand_above_their_numbers() -> None:
    lines = render(reports.report(), "table", width=40).splitlines()
    place = lines.index("lightgbm feed=ndarray")

    assert re.fullmatch(r"  42\.1 µs  89× \(88–90\) +0\.0e\+00", lines[place + 1])


def test_colour_adds_nothing_but_colour() -> None:
    plain = render(reports.troubled(), "table", width=100)
    coloured = render(reports.troubled(), "table", width=100, color=True)

    assert "\x1b" not in plain
    assert ANSI.sub("", coloured) == plain
    assert coloured.count("\x1b[1;31m") >= 4


def test_models_of_the_same_name_are_told_apart_by_their_folder() -> None:
    rows = [replace(row, model=replace(row.model, path="/other/credit.txt")) for row in reports.credit()]
    text = render(reports.report(*reports.credit(), *rows), "table")

    assert "/models/credit.txt   LightGBM" in text
    assert "/other/credit.txt   LightGBM" in text


def test_percentiles_that_were_asked_for() -> None:
    frame = reports.credit()[0]
    latency = replace(reports.latency(1000), more={"p90": 1500, "p99.9": None}, needs={"p99.9": 4742})
    text = render(reports.report(replace(frame, request=latency), settings={"percentiles": [50, 90.0, 99.9]}), "table")

    assert re.search(r"p50 +p90 +p99\.9 +rows/s", text)
    assert re.search(r"1\.00 µs +1\.50 µs +n/a  ", text)
    assert text.count("n/a: too few samples; p99.9 takes 4,742 (--rounds and --budget make more)") == 1


@pytest.mark.parametrize("format", ["table", "markdown"])
@pytest.mark.parametrize("width", [None, 80, 30])
def test_a_hostile_report_cannot_steer_the_terminal(format: str, width: int | None) -> None:
    evil = "\x1b]0;owned\x07\n\u202e\udce9"
    row = reports.failure(f"x{evil}", evil, replace(reports.CREDIT, path=f"/m/{evil}", family=evil, task=evil))
    notice = Notice(evil, evil, evil, evil)
    verdict = Verdict("failed", 6, (evil,))
    odd = replace(reports.credit()[0], candidate=evil, delta_note=evil, max_abs_delta=None)
    report = reports.report(row, odd, notices=(notice,), verdict=verdict, settings={"scenario": evil})
    text = render(report, format, width=width, phases=True)

    assert not set("\x1b\x07\u202e\udce9") & set(text)


def test_a_report_without_results() -> None:
    text = render(replace(reports.report(), results=()), "table", width=80)

    assert text == "Nothing was measured.\n"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(report=strategies.reports, width=st.sampled_from([40, 80, 120]))
def test_any_report_that_can_be_loaded_can_be_shown(report: Any, width: int) -> None:
    assert max(map(measure_width, render(report, "table", width=width, phases=True).splitlines())) <= width
    for format in registry.names():
        assert render(report, format, color=True, phases=True).endswith("\n")
