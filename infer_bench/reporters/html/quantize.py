"""The page of a quantisation: every form that was tried, and how it was judged."""

from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.quantize import QuantizeResult
from infer_bench.reporters.html.page import Cell, Page, Section, Table, Tone, describe_run, tone_of
from infer_bench.reporters.quantize.columns import (
    describe_outcome,
    describe_written,
    fill_cells,
    list_titles,
    name_form,
)
from infer_bench.reporters.quantize.sentences import list_sentences
from infer_bench.reporters.text.paths import file_name

_TONES: dict[str, Tone] = {"written": "good", "broken": "bad", "failed": "bad", "undecided": "unsure"}


def build_quantize_page(report: Report[Any]) -> Page:
    """What the page of a quantisation shows."""
    results: tuple[QuantizeResult, ...] = report.results
    titles = list_titles(results)
    rows = tuple(
        (Cell(name_form(result)), *(_fill_cell(result, key, cells.get(key, "")) for key in titles))
        for result, cells in ((result, fill_cells(result)) for result in results)
    )
    name = file_name(results[0].model.path)
    table = Table("forms", (name, *titles.values()), rows)
    plain: Tone = "plain"
    sentences = tuple((text, plain) for text in list_sentences(report))
    reasons = "; ".join(report.verdict.reasons) if report.verdict else ""
    return Page(
        title="Quantisation",
        subject=name,
        finding=reasons or describe_written(results),
        tone=tone_of(report.verdict.status) if report.verdict else "plain",
        sections=(Section(name, "speed is the original's time over the form's", (table,), sentences),),
        notices=tuple((notice.message, notice.hint) for notice in report.notices),
        facts=describe_run(report),
    )


def _fill_cell(result: QuantizeResult, key: str, text: str) -> Cell:
    return Cell(text, _TONES.get(describe_outcome(result), "plain") if key == "outcome" else "plain")
