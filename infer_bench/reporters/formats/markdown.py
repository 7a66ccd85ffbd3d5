"""GitHub's markdown, for a pull request or a README."""

from collections.abc import Iterable, Sequence
from typing import Any

from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Report, Verdict
from infer_bench.reporters.bench import columns as cells
from infer_bench.reporters.bench import groups, sentences
from infer_bench.reporters.bench.groups import Group
from infer_bench.reporters.gate import markdown as gate_markdown
from infer_bench.reporters.profile import markdown as profile_markdown
from infer_bench.reporters.text import numbers as format
from infer_bench.reporters.text.escaping import escape
from infer_bench.reporters.validate import markdown as validate_markdown


class Markdown:
    """A heading a model, a table a batch size, then what follows from them. Width and colour change nothing."""

    name = "markdown"
    commands = frozenset({"bench", "profile", "validate"})

    def render(
        self, report: Report[Any], *, width: int | None = None, color: bool = False, phases: bool = False
    ) -> str:
        """The whole text."""
        if report.command == "profile":
            return "\n\n".join(profile_markdown.blocks(report, escape)) + "\n"
        if report.command == "validate":
            return validate_markdown.render(report)
        if report.gate is not None:
            return gate_markdown.render(report)
        blocks = [
            block for model in groups.group(report.results, report.settings) for block in _model(report, model, phases)
        ]
        blocks += _bullets(sentences.about_report(report))
        blocks += [f"> **Note:** {_note(text, hint)}" for text, hint in cells.notices(report)]
        if report.verdict and (report.verdict.reasons or report.verdict.status != "pass"):
            blocks += _verdict(report.verdict)
        return "\n\n".join(blocks or ["Nothing was measured."]) + "\n"


def _verdict(verdict: Verdict) -> Iterable[str]:
    """One line; of a baseline that is not comparable every field that differs on its own."""
    if verdict.status == "not-comparable":
        yield f"**{verdict.status}**"
        yield "\n".join(f"- {escape(reason)}" for reason in verdict.reasons)
    else:
        yield f"**{verdict.status}** {escape('; '.join(verdict.reasons))}".rstrip()


def _model(report: Report[Any], model: tuple[Group, ...], phases: bool) -> Iterable[str]:
    info = model[0].model
    name = info.path.replace("\\", "/").rsplit("/", 1)[-1]
    yield f"### {escape(name)}"
    results = tuple(result for group in model for result in group.results)
    about = " · ".join(part for part in (cells.describe(info), cells.conditions(report, results)) if part)
    yield escape(about)
    for group in model:
        yield "\n".join(_table(report, group, phases))
    yield from _bullets(sentences.about_model(model))


def _table(report: Report[Any], group: Group, phases: bool) -> Iterable[str]:
    titles = cells.columns(report.settings, phases)
    yield _line([f"batch {format.count(group.batch)}", *titles.values()])
    yield "|:--|" + "--:|" * len(titles)
    for result in group.results:
        yield from _rows(report, result, group, tuple(titles), phases)


def _rows(report: Report[Any], result: BenchResult, group: Group, keys: Sequence[str], phases: bool) -> Iterable[str]:
    name = groups.title(result)
    if not cells.measured(result):
        yield _line([name, cells.reason(result), *[""] * (len(keys) - 1)])
        return
    line = cells.line(result, group, report.settings)
    yield _line([name, *(line.cells.get(key, "") for key in keys)])
    for part in cells.phase_lines(result, report.settings) if phases else ():
        yield _line([f"↳ {part.phase}", *(part.cells.get(key, "") for key in keys)])


def _note(text: str, hint: str) -> str:
    return escape(text) + (f"<br>{escape(hint)}" if hint else "")


def _line(texts: Iterable[str]) -> str:
    return "| " + " | ".join(map(escape, texts)) + " |"


def _bullets(said: Iterable[sentences.Sentence]) -> list[str]:
    lines = [f"- **{escape(s.text)}**" if s.tone == "alarm" else f"- {escape(s.text)}" for s in said]
    return ["\n".join(lines)] if lines else []
