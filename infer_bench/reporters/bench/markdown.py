"""A bench as GitHub's markdown: a heading a model, a table a batch size, then what follows from them."""

from collections.abc import Iterable, Sequence
from typing import Any

from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Report, Verdict
from infer_bench.reporters.bench import columns as bench_columns
from infer_bench.reporters.bench import groups
from infer_bench.reporters.bench.groups import BatchGroup, Comparison
from infer_bench.reporters.bench.sentences.describe import describe_model, describe_report, explain_missing
from infer_bench.reporters.bench.sentences.sentence import Sentence
from infer_bench.reporters.text import numbers
from infer_bench.reporters.text.markdown import escape, write_bullets, write_row
from infer_bench.reporters.text.notices import write_notices


def render(report: Report[Any], *, phases: bool) -> str:
    """The whole text."""
    models = groups.group_results(report.results, report.settings)
    blocks = [block for model in models for block in _write_model(report, model, phases)]
    missing = explain_missing(report, phases=phases)
    blocks += _write_bullets([*describe_report(report), *([Sentence(missing)] if missing else [])])
    blocks += write_notices(report, bench_columns.collect_notices)
    if report.verdict and (report.verdict.reasons or report.verdict.status != "pass"):
        blocks += _write_verdict(report.verdict)
    return "\n\n".join(blocks or ["Nothing was measured."]) + "\n"


def _write_verdict(verdict: Verdict) -> Iterable[str]:
    """One line; of a baseline that is not comparable every field that differs on its own."""
    if verdict.status == "not-comparable":
        yield f"**{verdict.status}**"
        yield write_bullets(verdict.reasons)
    else:
        yield f"**{verdict.status}** {escape('; '.join(verdict.reasons))}".rstrip()


def _write_model(report: Report[Any], model: Comparison, phases: bool) -> Iterable[str]:
    first, *others = model[0].models
    yield f"### {escape(', '.join(model[0].names[info.path] for info in model[0].models))}"
    results = tuple(result for group in model for result in group.results)
    conditions = bench_columns.describe_conditions(report, results)
    if others:
        yield write_bullets(f"{model[0].names[info.path]}: {bench_columns.describe(info)}" for info in (first, *others))
        yield escape(" · ".join([*([groups.name_candidate(results[0])] * model[0].is_uniform), conditions]))
    else:
        yield escape(" · ".join(part for part in (bench_columns.describe(first), conditions) if part))
    for group in model:
        yield "\n".join(_write_table(report, group, phases))
    yield from _write_bullets(describe_model(model))


def _write_table(report: Report[Any], group: BatchGroup, phases: bool) -> Iterable[str]:
    titles = bench_columns.select_columns(report, phases)
    yield write_row([f"batch {numbers.count(group.batch)}", *titles.values()])
    yield "|:--|" + "--:|" * len(titles)
    for result in group.results:
        yield from _write_rows(report, result, group, tuple(titles), phases)


def _write_rows(
    report: Report[Any], result: BenchResult, group: BatchGroup, keys: Sequence[str], phases: bool
) -> Iterable[str]:
    name = group.name_row(result)
    if not bench_columns.has_numbers(result):
        yield write_row([name, bench_columns.explain_failure(result), *[""] * (len(keys) - 1)])
        return
    line = bench_columns.fill_line(result, group, report.settings)
    yield write_row([name, *(line.cells.get(key, "") for key in keys)])
    for part in bench_columns.fill_phase_lines(result, report.settings) if phases else ():
        yield write_row([f"↳ {part.phase}", *(part.cells.get(key, "") for key in keys)])


def _write_bullets(about: Iterable[Sentence]) -> list[str]:
    lines = [f"- **{escape(s.text)}**" if s.tone == "alarm" else f"- {escape(s.text)}" for s in about]
    return ["\n".join(lines)] if lines else []
