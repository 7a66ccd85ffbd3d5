"""A quantisation as GitHub's markdown."""

from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.quantize import QuantizeResult
from infer_bench.reporters.quantize.columns import describe_written, fill_cells, list_titles, name_form
from infer_bench.reporters.quantize.sentences import list_sentences
from infer_bench.reporters.text.markdown import escape, write_bullets, write_row
from infer_bench.reporters.text.notices import list_plainly, write_notices
from infer_bench.reporters.text.paths import file_name


def render(report: Report[Any]) -> str:
    """The table, what follows from it, notes, and which file is written."""
    results: tuple[QuantizeResult, ...] = report.results
    titles = list_titles(results)
    table = [write_row([file_name(results[0].model.path), *titles.values()]), "|:--|" + "--:|" * len(titles)]
    for result in results:
        cells = fill_cells(result)
        table.append(write_row([name_form(result), *(cells.get(key, "") for key in titles)]))
    notes = write_notices(report, list_plainly)
    verdict = [f"**{report.verdict.status}**: {escape(describe_written(results))}"] if report.verdict else []
    blocks = ["\n".join(table), write_bullets(list_sentences(report)), *notes, *verdict]
    return "\n\n".join(block for block in blocks if block) + "\n"
