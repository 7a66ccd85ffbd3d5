"""A report in a notebook: its tables as HTML, its results as a DataFrame, its charts as pictures."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from infer_bench.errors import MissingDependency
from infer_bench.report.common import Report
from infer_bench.reporters.html.page import Cell, Table

if TYPE_CHECKING:
    import pandas as pd

    from infer_bench.reporters.charts.base import Chart

_SCALARS = (str, int, float, bool, type(None))
_WITHOUT_INTEREST = frozenset({"processes", "sha256"})


def render_tables(report: Report[Any]) -> str:
    """The finding and the tables of the report's page, as an element for a cell's output; nothing else is needed."""
    from infer_bench.reporters.html.render import build_page

    page = build_page(report)
    parts = [f"<p><strong>{escape(page.finding)}</strong></p>"]
    for section in page.sections:
        parts += [f"<p>{escape(section.heading)}</p>", *map(_render_table, section.tables)]
    return f"<div>{''.join(parts)}</div>"


def _render_table(table: Table) -> str:
    head = "".join(_render_cell("th", Cell(title), table.is_number(i)) for i, title in enumerate(table.head))
    rows = ("".join(_render_cell("td", cell, table.is_number(i)) for i, cell in enumerate(row)) for row in table.rows)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _render_cell(tag: str, cell: Cell, right: bool) -> str:
    text = escape(cell.text)
    weight = ";font-weight:bold" if cell.tone == "bad" else ""
    span = f' colspan="{cell.span}"' if cell.span > 1 else ""
    align = "right" if right and cell.span == 1 else "left"
    return f'<{tag}{span} style="text-align:{align}{weight}">{text}</{tag}>'


def make_frame(report: Report[Any]) -> "pd.DataFrame":
    """A row a result. A column a number or text, named by its place in the JSON: `request_p50_ns`, `model_bytes`.

    Units stand in the names. Lists (raw samples, groups) stay in the report. Raises `MissingDependency`.
    """
    try:
        import pandas as pd
    except ImportError:
        raise MissingDependency("pandas", "data") from None
    frame: pd.DataFrame = pd.DataFrame([dict(_flatten("", result)) for result in report.results])
    return frame.dropna(axis="columns", how="all")


def _flatten(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Names and scalars of a dataclass or a mapping, what is inside of it included."""
    pairs = (
        ((field.name, getattr(value, field.name)) for field in fields(value))
        if is_dataclass(value)
        else ((str(key), item) for key, item in value.items())
    )
    for name, item in pairs:
        if name in _WITHOUT_INTEREST:
            continue
        if isinstance(item, _SCALARS):
            yield f"{prefix}{name}", item
        elif is_dataclass(item) or isinstance(item, Mapping):
            yield from _flatten(f"{prefix}{name}_", item)


def draw(report: Report[Any], kind: str | None = None) -> "NotebookChart":
    """A chart of the report, the first one or that of `kind`. Raises `UsageError` or `MissingDependency`."""
    from infer_bench.reporters.charts.catalogue import draw_chart

    return NotebookChart(draw_chart(report, kind))


class NotebookChart:
    """A chart that shows itself in a notebook; `figure` is matplotlib's, to be changed or saved."""

    def __init__(self, chart: "Chart") -> None:
        self._chart = chart
        self.figure = chart.figure

    def __repr__(self) -> str:
        return f"<chart {self._chart.kind}: {self._chart.title}>"

    def _repr_svg_(self) -> str:
        from infer_bench.reporters.charts.files import render_svg

        return render_svg(self._chart)
