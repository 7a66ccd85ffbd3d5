"""The page of a gate: the verdict, a table a candidate with why each metric was judged so, and the speed behind it."""

from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.gate import Gate
from infer_bench.reporters.bench import columns, groups
from infer_bench.reporters.gate import columns as gate_columns
from infer_bench.reporters.gate import sentences as gate_sentences
from infer_bench.reporters.gate.columns import CheckLine
from infer_bench.reporters.gate.groups import CheckGroup, group_checks, require_gate
from infer_bench.reporters.gate.reasons import explain_check
from infer_bench.reporters.html.bench import build_model_section, build_run_section
from infer_bench.reporters.html.page import Cell, Page, Section, Table, Tone, describe_run, tone_of
from infer_bench.reporters.text import ratios

_LOOKS: dict[str, Tone] = {"red": "bad", "yellow": "unsure"}
_TONES: dict[str, Tone] = {"regressed": "bad", "different": "bad", "failed": "bad", "inconclusive": "unsure"}


def build_gate_page(report: Report[Any]) -> Page:
    """What the page of a gate shows."""
    gate, checks = require_gate(report), group_checks(report)
    headings = gate_sentences.write_headings(checks, gate)
    models = groups.group_results(report.results, report.settings)
    return Page(
        title="Gate",
        subject=", ".join(headings),
        finding=gate_sentences.describe_verdict(report, checks),
        tone=tone_of(report.verdict.status) if report.verdict else "unsure",
        sections=(
            *(_build_section(report, group, name) for group, name in zip(checks, headings, strict=True)),
            *(build_model_section(report, model) for model in models),
            *build_run_section(report),
        ),
        notices=tuple(columns.collect_notices(report)),
        facts=(("gate", _describe_risk(report)), *describe_run(report)),
    )


def _build_section(report: Report[Any], group: CheckGroup, name: str) -> Section:
    gate = require_gate(report)
    reasons = ((explain_check(check, gate), _TONES.get(check.outcome, "plain")) for check in group.checks)
    sentences: tuple[tuple[str, Tone], ...] = (*reasons, *((text, "plain") for text in _list_conditions(group, gate)))
    titles = gate_columns.write_titles(gate)
    head = ("metric", titles.baseline, titles.value, titles.ratio, titles.outcome)
    table = Table("", head, tuple(_build_row(line) for line in gate_columns.fill_lines(group)), last_text=True)
    return Section(name, tables=(table,), sentences=sentences)


def _list_conditions(group: CheckGroup, gate: Gate) -> list[str]:
    """The versions of two environments, and what the sample could have seen."""
    versions = [f"{role}: {text}" for role, text in gate_sentences.compare_environments(group, gate)]
    return [*versions, *gate_sentences.describe_sensitivity(group.checks)]


def _build_row(line: CheckLine) -> tuple[Cell, ...]:
    """Why a metric is inconclusive stands below the table, as it does of every metric."""
    ratio = " ".join(part for part in (line.ratio, line.interval) if part)
    outcome = "inconclusive" if line.outcome.startswith("inconclusive: ") else line.outcome
    return (*map(Cell, (line.metric, line.baseline, line.value, ratio)), Cell(outcome, _LOOKS.get(line.look, "plain")))


def _describe_risk(report: Report[Any]) -> str:
    gate = require_gate(report)
    risk = f"a metric beyond its limit passes in {ratios.allowance(gate.beta)} of cases"
    return f"{gate_sentences.describe_conditions(gate)} · {risk}"
