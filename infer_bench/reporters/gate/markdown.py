"""A gate as GitHub's markdown: the verdict first, then a table for each candidate and batch size."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from infer_bench.report.common import Report
from infer_bench.reporters.bench import columns as bench_columns
from infer_bench.reporters.bench import sentences
from infer_bench.reporters.gate import columns as gate_columns
from infer_bench.reporters.gate import sentences as gate_sentences
from infer_bench.reporters.gate.groups import CheckGroup, gate_of, group_checks
from infer_bench.reporters.text import ratios
from infer_bench.reporters.text.markdown import escape, note

_TITLES = ("", "baseline", "candidate", "ratio", "outcome")
_MARKS = {"pass": "✅", "regressed": "❌", "different": "❌", "failed": "❌", "not-comparable": "❌"}


def render(report: Report[Any]) -> str:
    """The whole text."""
    groups = group_checks(report)
    mark = _MARKS.get(report.verdict.status, "⚠️") if report.verdict else "⚠️"
    code = gate_sentences.exit_code(report)
    parts = [f"### {mark} {escape(gate_sentences.verdict(report, groups))}{f' · {code}' if code else ''}"]
    for group, name in zip(groups, gate_sentences.headings(groups, gate_of(report)), strict=True):
        parts += [f"#### {escape(name)}", *_group(group, report)]
    parts += [f"- {escape(sentence.text)}" for sentence in sentences.about_report(report)]
    parts += [note(text, hint) for text, hint in bench_columns.notices(report)]
    parts.append(escape(_conditions(report)))
    return "\n\n".join(parts) + "\n"


def _conditions(report: Report[Any]) -> str:
    gate = gate_of(report)
    settings = {name: value for name, value in report.settings.items() if name != "rounds"}  # the gate has its own
    conditions = bench_columns.conditions(replace(report, settings=settings), ())
    risk = f"a metric beyond its limit passes in {ratios.allowance(gate.beta)} of cases"
    return " · ".join(part for part in (gate_sentences.conditions(gate), risk, conditions) if part)


def _group(group: CheckGroup, report: Report[Any]) -> Iterable[str]:
    gate = gate_of(report)
    yield "\n".join(_table(group))
    bullets = [f"- {role}: {escape(versions)}" for role, versions in gate_sentences.environments(group, gate)]
    bullets += [f"- {escape(text)}" for text in gate_sentences.sensitivity(group.checks)]
    if bullets:
        yield "\n".join(bullets)


def _table(group: CheckGroup) -> Iterable[str]:
    yield _row(_TITLES)
    yield "|:--|--:|--:|:--|:--|"
    for line in gate_columns.lines(group):
        ratio = " ".join(part for part in (line.ratio, line.interval) if part)
        outcome = f"**{escape(line.outcome)}**" if line.look == "red" and line.outcome else escape(line.outcome)
        yield _row([escape(text) for text in (line.metric, line.baseline, line.value, ratio)] + [outcome])


def _row(texts: Iterable[str]) -> str:
    return "| " + " | ".join(texts) + " |"
