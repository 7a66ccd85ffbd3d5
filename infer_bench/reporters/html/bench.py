"""The page of a bench: the finding, a table a batch size, and what follows from them."""

from collections.abc import Iterable
from typing import Any

from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Report
from infer_bench.reporters.bench import columns, groups
from infer_bench.reporters.bench.groups import BatchGroup, Comparison
from infer_bench.reporters.bench.sentences.describe import describe_model, describe_report, explain_missing
from infer_bench.reporters.bench.sentences.headline import write_headline
from infer_bench.reporters.bench.sentences.sentence import Sentence
from infer_bench.reporters.bench.sentences.verdict import describe_verdict
from infer_bench.reporters.html.page import Cell, Page, Section, Table, Tone, describe_run, tone_of
from infer_bench.reporters.text import numbers
from infer_bench.reporters.text.paths import file_name


def build_bench_page(report: Report[Any]) -> Page:
    """What the page of a bench without a gate shows."""
    models = groups.group_results(report.results, report.settings)
    sections = tuple(build_model_section(report, model) for model in models)
    verdict = report.verdict
    failed = verdict is not None and verdict.status != "pass"
    return Page(
        title=", ".join(dict.fromkeys(file_name(info.path) for model in models for info in model[0].models)) or "bench",
        finding=describe_verdict(verdict, report.results) if verdict and failed else _find_headline(models),
        tone=tone_of(verdict.status) if verdict and failed else "plain",
        sections=(*sections, *build_run_section(report)),
        notices=tuple(columns.collect_notices(report)),
        facts=describe_run(report),
    )


def _find_headline(models: Iterable[Comparison]) -> str:
    """The first sentence that tells something, else who has the lowest p50."""
    headlines = [headline for model in models if (headline := write_headline(model))]
    return headlines[0] if headlines else "Nothing was measured."


def build_model_section(report: Report[Any], model: Comparison) -> Section:
    """One model, or several that are compared: a table a batch size, with a line for each phase."""
    results = tuple(result for group in model for result in group.results)
    names, models = model[0].names, model[0].models
    about = [f"{names[m.path]}: {columns.describe(m)}" if len(models) > 1 else columns.describe(m) for m in models]
    about += [groups.name_candidate(results[0])] * model[0].is_uniform
    return Section(
        ", ".join(file_name(info.path) for info in models),
        " · ".join(part for part in (*about, columns.describe_conditions(report, results)) if part),
        (*(_build_table(report, group) for group in model), *_build_packages(model[0])),
        tuple(_toned(describe_model(model))),
    )


def build_run_section(report: Report[Any]) -> Iterable[Section]:
    """What holds for the whole run; nothing where there is nothing to say."""
    missing = explain_missing(report, phases=True, shown=columns.select_columns(report, phases=True))
    about = tuple(_toned([*describe_report(report), *([Sentence(missing)] if missing else [])]))
    if about:
        yield Section("About this run", sentences=about)


def _toned(about: Iterable[Sentence]) -> Iterable[tuple[str, Tone]]:
    return ((sentence.text, "bad" if sentence.tone == "alarm" else "plain") for sentence in about)


def _build_table(report: Report[Any], group: BatchGroup) -> Table:
    titles = columns.select_columns(report, phases=True)
    rows = [row for result in group.results for row in _build_rows(report, result, group, tuple(titles))]
    caption = "one request" if group.batch == 1 else f"a batch of {numbers.count(group.batch)}"
    return Table(caption, ("candidate", *titles.values()), tuple(rows), last_text="languages" in titles)


def _build_packages(group: BatchGroup) -> Iterable[Table]:
    """What loading each form imports; nothing where forms were not compared."""
    rows = []
    for result in group.results:
        if result.form is not None and result.form.packages:
            sizes = sorted(result.form.packages.items(), key=lambda item: -item[1])
            text = ", ".join(f"{name} {numbers.memory(size)}" for name, size in sizes)
            rows.append((Cell(group.name_row(result)), Cell(text)))
    if rows:
        yield Table("packages that loading a form imports", ("form", "packages"), tuple(rows), text_columns=2)


def _build_rows(
    report: Report[Any], result: BenchResult, group: BatchGroup, keys: tuple[str, ...]
) -> Iterable[tuple[Cell, ...]]:
    name = group.name_row(result)
    if not columns.has_numbers(result):
        yield Cell(name), Cell(columns.explain_failure(result), "bad", span=len(keys))
        return
    line = columns.fill_line(result, group, report.settings)
    alarming = ("delta",) if line.alarm else ()
    yield (Cell(name), *(Cell(line.cells.get(key, ""), "bad" if key in alarming else "plain") for key in keys))
    shares = groups.share_phases(result.phases) if result.phases is not None else {}
    for part in columns.fill_phase_lines(result, report.settings):
        cells = (Cell(part.cells.get(key, ""), bar=shares.get(part.phase) if key == "share" else None) for key in keys)
        yield (Cell(f"↳ {part.phase}"), *cells)
