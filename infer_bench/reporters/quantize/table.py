"""A quantisation as a table: a row a form, then what follows."""

from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.quantize import QuantizeResult
from infer_bench.reporters.quantize.columns import describe_written, fill_cells, list_titles, name_form
from infer_bench.reporters.quantize.sentences import list_sentences
from infer_bench.reporters.text.grid import Row, draw_record, fit
from infer_bench.reporters.text.layout import clean, join_blocks, measure_width, style, wrap
from infer_bench.reporters.text.notices import draw_notices, list_plainly
from infer_bench.reporters.text.paths import file_name


def draw_quantisation(report: Report[Any], width: int | None, color: bool) -> list[str]:
    """The whole text."""
    results: tuple[QuantizeResult, ...] = report.results
    label = clean(file_name(results[0].model.path))
    rows = [Row(name_form(result), cells=fill_cells(result)) for result in results]
    titles = list_titles(results)
    grid = fit(titles, rows, [label], width)
    heading = grid.head(label) if grid else wrap(label, width)
    table = [style(line, "bold", color) for line in heading]
    for row in rows:
        text = grid.body(row) if grid else draw_record(titles, row, width)
        too_wide = width is not None and max(map(measure_width, text)) > width
        table += draw_record(titles, row, width) if too_wide else text
    sentences = [line for text in list_sentences(report) for line in wrap(clean(text), width, rest="  ")]
    notices = draw_notices(report, list_plainly, width, color)
    return join_blocks([table, sentences, notices, wrap(clean(describe_written(results)), width)])
