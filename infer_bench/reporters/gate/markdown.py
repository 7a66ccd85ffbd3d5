"""A gate as GitHub's markdown: the verdict first, then a table for each candidate and batch size."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from infer_bench.report.common import Report
from infer_bench.reporters.bench import columns as cells
from infer_bench.reporters.bench import sentences
from infer_bench.reporters.gate import columns as gate_cells
from infer_bench.reporters.gate import sentences as gate_words
from infer_bench.reporters.gate.groups import Block, blocks, gate_of
from infer_bench.reporters.text import ratios as format_gate
from infer_bench.reporters.text.escaping import escape

_TITLES = ("", "baseline", "candidate", "ratio", "outcome")
_MARKS = {"pass": "✅", "regressed": "❌", "different": "❌", "failed": "❌", "not-comparable": "❌"}


def render(report: Report[Any]) -> str:
    """The whole text."""
    shown = blocks(report)
    mark = _MARKS.get(report.verdict.status, "⚠️") if report.verdict else "⚠️"
    code = gate_words.exit_code(report)
    parts = [f"### {mark} {escape(gate_words.verdict(report, shown))}{f' · {code}' if code else ''}"]
    for block, name in zip(shown, gate_words.headings(shown, gate_of(report)), strict=True):
        parts += [f"#### {escape(name)}", *_block(block, report)]
    parts += [f"- {escape(said.text)}" for said in sentences.about_report(report)]
    parts += [
        f"> **Note:** {escape(text)}{f'<br>{escape(hint)}' if hint else ''}" for text, hint in cells.notices(report)
    ]
    parts.append(escape(_measured(report)))
    return "\n\n".join(parts) + "\n"


def _measured(report: Report[Any]) -> str:
    gate = gate_of(report)
    settings = {name: value for name, value in report.settings.items() if name != "rounds"}  # the gate has its own
    conditions = cells.conditions(replace(report, settings=settings), ())
    missed = f"a metric beyond its limit passes in {format_gate.allowance(gate.beta)} of cases"
    return " · ".join(part for part in (gate_words.conditions(gate), missed, conditions) if part)


def _block(block: Block, report: Report[Any]) -> Iterable[str]:
    gate = gate_of(report)
    yield "\n".join(_table(block))
    said = [f"- {role}: {escape(versions)}" for role, versions in gate_words.environments(block, gate)]
    said += [f"- {escape(text)}" for text in gate_words.sensitivity(block.checks)]
    if said:
        yield "\n".join(said)


def _table(block: Block) -> Iterable[str]:
    yield _row(_TITLES)
    yield "|:--|--:|--:|:--|:--|"
    for line in gate_cells.lines(block):
        ratio = " ".join(part for part in (line.ratio, line.interval) if part)
        outcome = f"**{escape(line.outcome)}**" if line.look == "red" and line.outcome else escape(line.outcome)
        yield _row([escape(text) for text in (line.metric, line.baseline, line.value, ratio)] + [outcome])


def _row(texts: Iterable[str]) -> str:
    return "| " + " | ".join(texts) + " |"
