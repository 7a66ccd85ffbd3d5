"""A gate as GitHub's markdown: the verdict first, then a table for each candidate and batch size."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.gate import Gate
from infer_bench.reporters.bench import columns as bench_columns
from infer_bench.reporters.bench.sentences.describe import describe_report
from infer_bench.reporters.gate import columns as gate_columns
from infer_bench.reporters.gate import sentences as gate_sentences
from infer_bench.reporters.gate.groups import CheckGroup, group_checks, require_gate
from infer_bench.reporters.text import ratios
from infer_bench.reporters.text.markdown import escape
from infer_bench.reporters.text.notices import write_notices

_MARKS = {"pass": "✅", "regressed": "❌", "different": "❌", "failed": "❌", "not-comparable": "❌"}


def render(report: Report[Any]) -> str:
    """The whole text."""
    groups = group_checks(report)
    mark = _MARKS.get(report.verdict.status, "⚠️") if report.verdict else "⚠️"
    code = gate_sentences.name_exit_code(report)
    parts = [f"### {mark} {escape(gate_sentences.describe_verdict(report, groups))}{f' · {code}' if code else ''}"]
    for group, name in zip(groups, gate_sentences.write_headings(groups, require_gate(report)), strict=True):
        parts += [f"#### {escape(name)}", *_write_group(group, report)]
    parts += [f"- {escape(sentence.text)}" for sentence in describe_report(report)]
    parts += write_notices(report, bench_columns.collect_notices)
    parts.append(escape(_describe_conditions(report)))
    return "\n\n".join(parts) + "\n"


def _describe_conditions(report: Report[Any]) -> str:
    gate = require_gate(report)
    settings = {name: value for name, value in report.settings.items() if name != "rounds"}  # the gate has its own
    conditions = bench_columns.describe_conditions(replace(report, settings=settings), ())
    risk = f"a metric beyond its limit passes in {ratios.allowance(gate.beta)} of cases"
    return " · ".join(part for part in (gate_sentences.describe_conditions(gate), risk, conditions) if part)


def _write_group(group: CheckGroup, report: Report[Any]) -> Iterable[str]:
    gate = require_gate(report)
    yield "\n".join(_write_table(group, gate))
    bullets = [f"- {role}: {escape(versions)}" for role, versions in gate_sentences.compare_environments(group, gate)]
    bullets += [f"- {escape(text)}" for text in gate_sentences.describe_sensitivity(group.checks)]
    if bullets:
        yield "\n".join(bullets)


def _write_table(group: CheckGroup, gate: Gate) -> Iterable[str]:
    titles = gate_columns.write_titles(gate)
    yield _write_row((titles.metric, titles.baseline, titles.value, titles.ratio, titles.outcome))
    yield "|:--|--:|--:|:--|:--|"
    for line in gate_columns.fill_lines(group):
        ratio = " ".join(part for part in (line.ratio, line.interval) if part)
        outcome = f"**{escape(line.outcome)}**" if line.look == "red" and line.outcome else escape(line.outcome)
        yield _write_row([escape(text) for text in (line.metric, line.baseline, line.value, ratio)] + [outcome])


def _write_row(texts: Iterable[str]) -> str:
    return "| " + " | ".join(texts) + " |"
