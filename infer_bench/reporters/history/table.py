"""Runs as aligned text: a block a candidate, a line a run."""

from infer_bench.reporters.history.columns import TITLES, fill_cells
from infer_bench.reporters.history.history import NO_REGRESSION, History, Run
from infer_bench.reporters.text.grid import Row, draw_record, fit
from infer_bench.reporters.text.layout import clean, join_blocks, measure_width, style, wrap
from infer_bench.reporters.text.paths import file_name


def render_table(history: History, *, width: int | None = None, color: bool = False) -> str:
    """The whole text; a run that is not comparable says why below."""
    groups = {clean(name): entries for name, entries in history.entries().items()}
    rows = {
        name: [Row(clean(file_name(entry.run.file)), cells=fill_cells(entry)) for entry in entries]
        for name, entries in groups.items()
    }
    grid = fit(TITLES, [row for group in rows.values() for row in group], list(rows), width)
    blocks = []
    for name, group in rows.items():
        heading = grid.head(name) if grid else wrap(name, width)
        lines = [style(line, "bold", color) for line in heading]
        for row in group:
            text = grid.body(row) if grid else draw_record(TITLES, row, width)
            too_wide = width is not None and max(map(measure_width, text)) > width
            lines += draw_record(TITLES, row, width) if too_wide else text
        blocks.append(lines)
    reasons = [line for text in list_obstacles(history) for line in wrap(clean(text), width, rest="  ")]
    blocks += [reasons, wrap(NO_REGRESSION, width)]
    return "\n".join(join_blocks(blocks)) + "\n"


def list_obstacles(history: History) -> list[str]:
    """What keeps runs from being compared with the first, a sentence a run."""
    first = file_name(history.runs[0].file)
    return [_explain(run, first) for run in history.runs if not run.comparable]


def _explain(run: Run, first: str) -> str:
    file = file_name(run.file)
    if not run.report.complete:
        return f"{file} is of a run that was not finished: its figures are of the rounds up to its end"
    return f"{file} is not comparable with {first}: {'; '.join(run.obstacles)}"
