"""The page of several runs: the trend, and a table a candidate."""

from infer_bench.reporters.history.columns import TITLES, fill_cells
from infer_bench.reporters.history.history import NO_REGRESSION, History
from infer_bench.reporters.history.table import list_obstacles
from infer_bench.reporters.html.page import Cell, Page, Section, Table
from infer_bench.reporters.text.paths import file_name


def build_history_page(history: History) -> Page:
    """What the page shows."""
    sections = []
    for name, entries in history.entries().items():
        rows = tuple(
            (Cell(file_name(entry.run.file)), *(Cell(fill_cells(entry)[key]) for key in TITLES)) for entry in entries
        )
        sections.append(Section(name, tables=(Table("runs", ("run", *TITLES.values()), rows),)))
    return Page(
        title="Runs",
        finding=f"{len(history.runs)} runs, the first of {history.runs[0].report.created_at[:10]}",
        tone="plain",
        sections=tuple(sections),
        notices=tuple((text, "") for text in [*list_obstacles(history), NO_REGRESSION]),
    )
