"""A bench as GitHub's markdown: a heading a model, a table a batch size, then what follows from them."""

from collections.abc import Iterable, Sequence
from typing import Any

from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Report, Verdict
from infer_bench.reporters.bench import columns as bench_columns
from infer_bench.reporters.bench import groups, sentences
from infer_bench.reporters.bench.groups import BatchGroup
from infer_bench.reporters.text import numbers
from infer_bench.reporters.text.markdown import bullets, escape, note, table_row
from infer_bench.reporters.text.paths import file_name


def render(report: Report[Any], *, phases: bool) -> str:
    """The whole text."""
    models = groups.group(report.results, report.settings)
    blocks = [block for model in models for block in _model(report, model, phases)]
    blocks += _bullets(sentences.about_report(report))
    blocks += [note(text, hint) for text, hint in bench_columns.notices(report)]
    if report.verdict and (report.verdict.reasons or report.verdict.status != "pass"):
        blocks += _verdict(report.verdict)
    return "\n\n".join(blocks or ["Nothing was measured."]) + "\n"


def _verdict(verdict: Verdict) -> Iterable[str]:
    """One line; of a baseline that is not comparable every field that differs on its own."""
    if verdict.status == "not-comparable":
        yield f"**{verdict.status}**"
        yield bullets(verdict.reasons)
    else:
        yield f"**{verdict.status}** {escape('; '.join(verdict.reasons))}".rstrip()


def _model(report: Report[Any], model: tuple[BatchGroup, ...], phases: bool) -> Iterable[str]:
    info = model[0].model
    name = file_name(info.path)
    yield f"### {escape(name)}"
    results = tuple(result for group in model for result in group.results)
    about = " · ".join(
        part for part in (bench_columns.describe(info), bench_columns.conditions(report, results)) if part
    )
    yield escape(about)
    for group in model:
        yield "\n".join(_table(report, group, phases))
    yield from _bullets(sentences.about_model(model))


def _table(report: Report[Any], group: BatchGroup, phases: bool) -> Iterable[str]:
    titles = bench_columns.columns(report.settings, phases)
    yield table_row([f"batch {numbers.count(group.batch)}", *titles.values()])
    yield "|:--|" + "--:|" * len(titles)
    for result in group.results:
        yield from _rows(report, result, group, tuple(titles), phases)


def _rows(
    report: Report[Any], result: BenchResult, group: BatchGroup, keys: Sequence[str], phases: bool
) -> Iterable[str]:
    name = groups.title(result)
    if not bench_columns.has_numbers(result):
        yield table_row([name, bench_columns.reason(result), *[""] * (len(keys) - 1)])
        return
    line = bench_columns.line(result, group, report.settings)
    yield table_row([name, *(line.cells.get(key, "") for key in keys)])
    for part in bench_columns.phase_lines(result, report.settings) if phases else ():
        yield table_row([f"↳ {part.phase}", *(part.cells.get(key, "") for key in keys)])


def _bullets(about: Iterable[sentences.Sentence]) -> list[str]:
    lines = [f"- **{escape(s.text)}**" if s.tone == "alarm" else f"- {escape(s.text)}" for s in about]
    return ["\n".join(lines)] if lines else []
