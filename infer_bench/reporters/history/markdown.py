"""Runs as GitHub's markdown."""

from infer_bench.reporters.history.columns import TITLES, fill_cells
from infer_bench.reporters.history.history import NO_REGRESSION, History
from infer_bench.reporters.history.table import list_obstacles
from infer_bench.reporters.text.markdown import escape, write_note, write_row
from infer_bench.reporters.text.paths import file_name


def render_markdown(history: History) -> str:
    """A table a candidate, then what is not comparable."""
    blocks = []
    for name, entries in history.entries().items():
        lines = [write_row(["run", *TITLES.values()]), "|:--|" + "--:|" * len(TITLES)]
        for entry in entries:
            cells = fill_cells(entry)
            lines.append(write_row([file_name(entry.run.file), *(cells[key] for key in TITLES)]))
        blocks += [f"### {escape(name)}", "\n".join(lines)]
    blocks += [write_note(text) for text in [*list_obstacles(history), NO_REGRESSION]]
    return "\n\n".join(blocks) + "\n"
