"""A comparison as GitHub's markdown."""

from collections.abc import Iterable
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.validate import ValidateResult
from infer_bench.reporters.bench.columns import notices
from infer_bench.reporters.text.escaping import escape
from infer_bench.reporters.validate import columns as comparison


def render(report: Report[Any]) -> str:
    """The whole text."""
    blocks = [block for result in report.results for block in _result(report, result)]
    blocks += [f"> **Note:** {escape(text)}" for text, _ in notices(report)]
    if report.verdict:
        said = "; ".join(report.verdict.reasons) or "same answers"
        blocks.append(f"**{report.verdict.status}**: {escape(said)}")
    return "\n\n".join(blocks or ["Nothing was compared."]) + "\n"


def _result(report: Report[Any], result: ValidateResult) -> Iterable[str]:
    yield f"### {escape(comparison.heading(result))}"
    if result.failed:
        yield f"**Cannot be compared:** {escape(result.failed)}"
    if not result.groups:
        return
    yield escape(comparison.conditions(report, result))
    yield "\n".join(_table(report, result))
    said = [f"**Why** {escape(text)}" for text in comparison.why(result)]
    said += [f"**First** {escape(comparison.first(result))}"] if comparison.first(result) else []
    said += [f"**Fix** `{comparison.fix(result)}`"] if comparison.fix(result) else []
    worst = result.worst[: comparison.SHOWN_WORST] if result.different else ()
    said += [f"**Worst** {escape(comparison.worst(line))}" for line in worst]
    said += [escape(comparison.passing(result))]
    yield "\n".join(f"- {line}" for line in said if line)


def _table(report: Report[Any], result: ValidateResult) -> Iterable[str]:
    titles = comparison.columns(report, [result])
    yield _line(["rows", *titles.values()])
    yield "|:--|" + "--:|" * len(titles)
    for group in result.groups:
        found = comparison.cells(group)
        yield _line([group.name, *(found.get(key, "") for key in titles)])
        for name, cells in comparison.output_lines(group):
            yield _line([f"↳ {name}", *(cells.get(key, "") for key in titles)])


def _line(texts: Iterable[str]) -> str:
    return "| " + " | ".join(map(escape, texts)) + " |"
