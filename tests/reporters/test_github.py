"""Annotations and step summaries, as GitHub Actions reads them."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infer_bench.report.common import Notice, Report, Verdict
from infer_bench.reporters.github import SUMMARY_BYTES, annotate, summarize
from infer_bench.reporters.registry import render
from tests import gate_reports, reports

COMMAND = re.compile(
    r"::(error|warning|notice) title=((?:[^:,\n\r%]|%(?:25|0A|0D|3A|2C))*)::((?:[^\n\r%]|%(?:25|0A|0D))*)"
)


def levels(report: Report[Any]) -> list[str]:
    return [match[1] for line in annotate(report).splitlines() if (match := COMMAND.fullmatch(line))]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("passing", ["notice"]),
        ("regressed", ["error"] * 3),
        ("inconclusive", ["warning", "warning", "notice"]),
        ("limits", ["error"] * 3),
        ("several", ["error"] * 5),
    ],
)
def test_each_finding_has_its_level(name: str, expected: list[str]) -> None:
    assert levels(gate_reports.ALL[name]) == expected


def test_an_annotation_says_what_was_found() -> None:
    lines = annotate(gate_reports.regressed()).splitlines()

    assert lines[0].startswith("::error title=infer-bench bench%3A regressed::p50 is 1.10× the baseline's, 5 %25 more")
    assert lines[1] == (
        "::error title=infer-bench%3A new.onnx onnxruntime%3Afeed=ndarray batch=1::"
        "p50 24.9 µs → 27.4 µs, 1.10× (1.095–1.106), regressed: more than 5 %25 slower"
    )


def test_a_bench_without_a_gate_annotates_failures_and_notices() -> None:
    assert levels(reports.troubled()) == ["error", "error", "notice", "notice"]
    assert annotate(reports.report()) == ""


def test_github_shows_ten_of_a_level() -> None:
    notices = tuple(Notice("n", f"notice {n}") for n in range(25))
    lines = annotate(reports.report(notices=notices)).splitlines()

    assert len(lines) == 10
    assert lines[-1] == "::notice title=infer-bench::and 16 more: see the report"


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters() | st.sampled_from("\n\r%:,\x1b\u2028\x85\udce9"), max_size=20))
def test_nothing_in_a_report_can_write_another_command(text: str) -> None:
    check = replace(gate_reports.p50("regressed"), metric=text, candidate=text, model=text)
    gate = gate_reports.gate(check, baseline=replace(gate_reports.HERE, candidate=text, model=text))
    report = gate_reports.report(gate, "regressed", reasons=(text,))
    lines = annotate(replace(report, notices=(Notice(text, text, text, text),))).splitlines()

    assert lines
    assert all(COMMAND.fullmatch(line) for line in lines)
    annotate(report).encode()


def test_the_summary_is_the_markdown() -> None:
    assert summarize(gate_reports.regressed()) == render(gate_reports.regressed(), "markdown") + "\n"


@pytest.mark.parametrize("limit", [400, 600, 1000, 3000])
def test_a_summary_is_cut_between_its_parts(limit: int) -> None:
    whole = summarize(gate_reports.several())
    shortened = summarize(gate_reports.several(), limit)

    assert len(shortened.encode()) <= limit
    if shortened not in ("", whole):
        beginning, _, note = shortened.rpartition("\n\n> **Note:** cut off here")
        assert note
        assert whole.startswith(beginning + "\n\n")


@pytest.mark.parametrize("limit", [-5, 0, 20])
def test_where_nothing_fits_nothing_is_written(limit: int) -> None:
    assert summarize(gate_reports.several(), limit) == ""


def test_a_summary_of_very_many_rows_fits() -> None:
    notices = tuple(Notice("n", "価格" * 200 + str(n)) for n in range(2000))
    text = summarize(replace(gate_reports.regressed(), notices=notices))

    assert SUMMARY_BYTES * 0.99 < len(text.encode()) <= SUMMARY_BYTES
    assert text.rstrip().endswith("The report that `--json` writes has it all.")


def test_a_verdict_of_a_comparison_is_annotated() -> None:
    verdict = Verdict("different", 4, ("12 rows differ",))
    report = replace(reports.report(), command="validate", results=(), verdict=verdict)

    assert annotate(report) == "::error title=infer-bench validate%3A different::12 rows differ\n"
