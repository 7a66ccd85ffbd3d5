"""What a gate concluded, in the terminal."""

import re
from dataclasses import replace
from typing import Any

import pytest

from infer_bench.report.common import Notice, Report, Verdict
from infer_bench.report.gate import Side
from infer_bench.reporters.gate import columns as gate_columns
from infer_bench.reporters.gate.groups import group_checks, require_gate
from infer_bench.reporters.registry import render
from infer_bench.reporters.text.layout import measure_width
from tests import gate_reports, reports

ANSI = re.compile(r"\x1b\[[0-9;]*m")
PAIR = (gate_reports.OLD, gate_reports.NEW)
EVIL = "\x1b]0;owned\x07\n\u202e\udce9"


def flat(text: str) -> str:
    return re.sub(r"\s", "", text)


def cells_of(report: Report[Any]) -> set[str]:
    lines = [line for group in group_checks(report) for line in gate_columns.fill_lines(group)]
    return {
        flat(text)
        for line in lines
        for text in (line.metric, line.baseline, line.value, line.ratio, line.interval, line.outcome)
    }


@pytest.mark.parametrize("width", [20, 30, 40, 60, 80, 100, 130])
@pytest.mark.parametrize("name", gate_reports.ALL)
def test_it_fits_the_terminal_and_loses_no_value(name: str, width: int) -> None:
    report = gate_reports.ALL[name]
    text = render(report, "table", width=width)

    assert max(map(measure_width, text.splitlines())) <= width
    assert not [cell for cell in cells_of(report) if cell not in flat(text)]


def test_a_regression_is_told_in_six_lines_of_a_wide_terminal() -> None:
    lines = render(gate_reports.regressed(), "table", width=130).splitlines()

    assert lines[0].startswith("new.onnx against old.onnx     9 process pairs × 20 rounds, 7.9 s, interleaved")
    assert "error rate 1 %" in lines[0]
    assert re.fullmatch(r" +baseline   candidate   ratio \(median of pairs\)", lines.pop(1))
    assert re.fullmatch(
        r"  p50 +24\.9 µs +27\.4 µs +1\.10×  \(1\.095–1\.106\) +regressed: more than 5 % slower", lines[1]
    )
    assert re.fullmatch(r"  p95 +27\.0 µs +29\.9 µs +1\.11×  \(1\.09–1\.13\) +regressed", lines[2])
    assert re.fullmatch(r"  max \|Δ\| +3\.1e-07 +same labels", lines[3])
    assert re.fullmatch(
        r"verdict +regressed \(p50, p95\) +would have seen \+1\.2 % at p50, \+2\.6 % at p95 +exit 1", lines[4]
    )


def test_a_pipe_gets_one_line_a_metric() -> None:
    lines = render(gate_reports.regressed(), "table").splitlines()

    assert [line.split()[0] for line in lines] == ["new.onnx", "baseline", "p50", "p95", "max", "verdict", "would"]


def test_sessions_tell_their_layouts() -> None:
    assert "6 layouts × 10 rounds in one worker, 2.1 s" in render(gate_reports.passing(), "table")


def test_what_is_inconclusive_says_what_was_seen_and_why() -> None:
    text = render(gate_reports.inconclusive(), "table")

    assert "inconclusive: +4.3 % seen, 5 % allowed, 4 of 9 layouts beyond; the bounds hold the limit" in text
    assert "advisory: a p99 is too noisy to judge" in text
    assert re.search(r"verdict +inconclusive \(p50\).*exit 3", text)


def test_long_reasons_go_below_the_numbers_of_a_narrow_terminal() -> None:
    lines = render(gate_reports.inconclusive(), "table", width=80).splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith("  p50"))

    assert lines[place].endswith("inconclusive:")
    assert lines[place + 1].startswith("      +4.3 % seen, 5 % allowed, 4 of 9 layouts beyond; ")


def test_two_environments_show_what_differs_between_them() -> None:
    text = render(gate_reports.two_environments(), "table")

    assert text.startswith("old.onnx, onnxruntime 1.32.0 against 1.31.1")
    assert "  baseline   python 3.11.9, onnxruntime 1.31.1, pandas –\n" in text
    assert "  candidate  python 3.12.4, onnxruntime 1.32.0, pandas 3.1.1\n" in text
    assert "numpy" not in text


def test_another_interpreter_with_the_same_versions() -> None:
    report = gate_reports.two_environments()
    assert report.gate is not None
    base = report.gate.baseline
    side = replace(report.gate.sides[0], python=base.python, packages=base.packages)
    text = render(replace(report, gate=replace(report.gate, sides=(side,))), "table")

    assert text.startswith("old.onnx, against itself in /venvs/old/bin/python  ")
    assert "\n  baseline" not in text


def test_two_sides_of_one_label_are_the_baseline_and_the_candidate() -> None:
    report = gate_reports.two_environments()
    assert report.gate is not None
    rows = tuple(replace(row, candidate=gate_reports.CANDIDATE) for row in report.results)
    checks = tuple(replace(check, against=gate_reports.CANDIDATE) for check in report.gate.checks)
    base = replace(report.gate.baseline, candidate=gate_reports.CANDIDATE)
    groups = group_checks(replace(report, results=rows, gate=replace(report.gate, checks=checks, baseline=base)))

    assert [(group.result, group.baseline) for group in groups] == [(rows[1], rows[0])]


def test_the_engines_library_is_shown_where_only_another_differs() -> None:
    report = gate_reports.regressed()
    assert report.gate is not None
    side = Side(gate_reports.CANDIDATE, gate_reports.NEW.path, "3.11.9", "", {"onnxruntime": "1.31.1", "numpy": "1.26"})
    text = render(replace(report, gate=replace(report.gate, sides=(side,))), "table")

    assert "baseline   numpy 2.4.6, onnxruntime 1.31.1" in text
    assert "candidate  numpy 1.26, onnxruntime 1.31.1" in text


def test_a_stored_baseline_is_called_so() -> None:
    text = render(gate_reports.against_stored(), "table")

    assert text.startswith("new.onnx against the stored old.onnx     5 processes × 20 rounds")
    assert "interleaved" not in text


def test_the_same_file_against_its_stored_report() -> None:
    report = gate_reports.against_stored()
    assert report.gate is not None
    base = replace(gate_reports.HERE, model=gate_reports.NEW.path)
    text = render(replace(report, gate=replace(report.gate, baseline=base)), "table")

    assert text.startswith("new.onnx, against the stored baseline")
    assert "25.0 µs" in text


def test_absolute_limits() -> None:
    lines = render(gate_reports.limits(), "table").splitlines()

    assert [re.split(r" {2,}", line.strip()) for line in lines[1:5]] == [
        ["p99", "4.10 ms", "limit 5.00 ms", "pass"],
        ["memory", "88.2 MB", "limit 80.0 MB", "regressed: over the limit"],
        ["cold start", "400 ms", "limit 2.00 s", "pass"],
        ["max |Δ|", "3.1e-04", "limit 1e-5", "different"],
    ]


def test_several_candidates_have_a_block_each_and_one_verdict() -> None:
    text = render(gate_reports.several(), "table", width=130)

    assert "new.onnx against old.onnx, batch 64\n" in text
    assert "credit.txt (lightgbm:feed=ndarray) against old.onnx (onnxruntime:feed=ndarray)\n" in text
    assert re.search(r"max \|Δ\| +4\.1e-01 +limit 1e-5 +different: labels that change: 12", text)
    assert "failed: the worker was killed by SIGKILL" in text
    assert text.count("verdict") == text.count("process pairs") == 1


def test_each_candidate_is_told_against_its_own_baseline() -> None:
    other = "lightgbm:feed=ndarray"
    rows = [gate_reports.result(model, candidate=label) for label in (gate_reports.CANDIDATE, other) for model in PAIR]
    checks = [replace(gate_reports.p50(), candidate=label, against=label) for label in (gate_reports.CANDIDATE, other)]
    sides = tuple(Side(label, gate_reports.NEW.path) for label in (gate_reports.CANDIDATE, other))
    gate = gate_reports.gate(*checks, sides=sides)
    groups = group_checks(gate_reports.report(gate, "regressed", *rows))

    assert [group.candidate for group in groups] == [gate_reports.CANDIDATE, other]
    assert [group.baseline and group.baseline.candidate for group in groups] == [gate_reports.CANDIDATE, other]
    assert [group.baseline and group.baseline.model.path for group in groups] == [gate_reports.OLD.path] * 2


def test_two_candidates_of_one_model() -> None:
    other = "lightgbm:feed=ndarray"
    rows = gate_reports.result(candidate=other, max_abs_delta=0.0), gate_reports.result()
    base = replace(gate_reports.HERE, candidate=other, model=gate_reports.NEW.path)
    gate = gate_reports.gate(replace(gate_reports.p50(), against=other), baseline=base)
    text = render(gate_reports.report(gate, "regressed", *rows), "table")

    assert text.startswith("new.onnx, onnxruntime:feed=ndarray against lightgbm:feed=ndarray  ")


def test_models_of_one_name_are_told_apart_by_their_folders() -> None:
    new = replace(gate_reports.NEW, path="/b/model.onnx")
    old = replace(gate_reports.OLD, path="/a/model.onnx")
    checks = tuple(replace(check, model=new.path) for check in (gate_reports.p50(), gate_reports.p95()))
    base, side = (replace(gate_reports.HERE, model=model.path) for model in (old, new))
    rows = gate_reports.result(old, max_abs_delta=0.0), gate_reports.result(new)
    report = gate_reports.report(gate_reports.gate(*checks, baseline=base, sides=(side,)), "regressed", *rows)

    assert render(report, "table").startswith("/b/model.onnx against /a/model.onnx  ")


def test_answers_that_were_not_compared_are_said_to_be() -> None:
    result = gate_reports.result(max_abs_delta=None, label_changes=None, delta_note="its answers have 3 columns")
    report = gate_reports.report(gate_reports.gate(gate_reports.p50()), "regressed", result)

    assert re.search(r"max \|Δ\| +– +not compared: its answers have 3 columns", render(report, "table"))


def test_a_verdict_that_no_check_explains_gives_its_reasons() -> None:
    reasons = ("another processor", "another library")
    report = replace(gate_reports.against_stored(), verdict=Verdict("not-comparable", 5, reasons))

    assert "verdict    not-comparable: another processor; another library" in render(report, "table")


def test_notices_and_an_unfinished_run_are_not_left_out() -> None:
    notice = Notice("threads", "4 threads on 1.5 effective cores", "--threads 1")
    text = render(replace(gate_reports.passing(), notices=(notice,), complete=False, verdict=None), "table", width=80)

    assert "note: 4 threads on 1.5 effective cores\nhint: --threads 1" in text
    assert "The run was not finished" in text
    assert "verdict    none: the run was not finished" in text


def test_phases_stand_before_the_judgement() -> None:
    text = render(gate_reports.regressed(), "table", phases=True)

    assert "preprocess" in text
    assert text.index("preprocess") < text.index("new.onnx against old.onnx")
    assert text.count("verdict") == 1


@pytest.mark.parametrize("name", gate_reports.ALL)
def test_colour_adds_nothing_but_colour(name: str) -> None:
    report = gate_reports.ALL[name]
    coloured = render(report, "table", width=100, color=True)

    assert ANSI.sub("", coloured) == render(report, "table", width=100)
    assert "\x1b[" in coloured


@pytest.mark.parametrize("format", ["table", "markdown"])
def test_a_hostile_gate_cannot_steer_the_terminal(format: str) -> None:
    report = gate_reports.two_environments()
    assert report.gate is not None
    check = replace(gate_reports.p50("inconclusive", reason=EVIL), metric=EVIL, model=EVIL, candidate=EVIL)
    side = Side(EVIL, EVIL, EVIL, EVIL, {EVIL: EVIL})
    gate = replace(report.gate, checks=(check,), baseline=side, sides=(replace(side, python="3"),))
    for width in (None, 80, 30):
        text = render(replace(report, gate=gate, verdict=Verdict("failed", 6, (EVIL,))), format, width=width)
        assert not set("\x1b\x07\u202e\udce9") & set(text)


def test_a_difference_does_not_hide_a_regression() -> None:
    assert re.search(
        r"verdict +different \(credit\.txt lightgbm:feed=ndarray batch 1: max \|Δ\|\), "
        r"regressed \(credit\.txt lightgbm:feed=ndarray batch 1: p50\) +exit 4",
        render(gate_reports.several(), "table"),
    )


def test_a_gate_without_results() -> None:
    gate = gate_reports.gate(sides=())
    report = replace(reports.report(), results=(), gate=gate, verdict=Verdict("failed", 6, ("no worker came up",)))

    assert render(report, "table", width=80).startswith("Nothing was measured.")
    assert "no worker came up" in render(report, "markdown")


def test_the_ratio_says_what_it_is_the_median_of() -> None:
    assert "ratio (median of pairs)" in render(gate_reports.regressed(), "markdown")
    stored = replace(gate_reports.regressed(), gate=replace(require_gate(gate_reports.regressed()), mode="stored"))
    assert "ratio (median of all pairs)" in render(stored, "table")


@pytest.mark.parametrize("width", [40, 60, 80])
def test_which_value_is_old_is_said_at_every_width(width: int) -> None:
    lines = render(gate_reports.regressed(), "table", width=width).splitlines()
    assert any(line.split()[:2] == ["baseline", "candidate"] for line in lines)


def test_a_tail_that_passed_at_a_wider_limit_says_which_and_why() -> None:
    reason = "5 % is not told by this sample: about --budget 70s would decide"
    tail = gate_reports.p95("pass", 1.01, 0.97, 1.06, limit=0.08, limit_asked=0.05, reason=reason)
    assert gate_columns.describe_outcome(tail) == f"pass: within 8 %; {reason}"
    assert gate_columns.describe_outcome(gate_reports.p95("pass", 1.01, 0.97, 1.04)) == "pass: within 5 %"
