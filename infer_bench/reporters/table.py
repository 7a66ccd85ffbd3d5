"""The terminal's table: one line a candidate where it fits, two or more where it does not, and what follows from it."""

from collections.abc import Iterable, Sequence
from typing import Any

from infer_bench.reporters import cells, format, groups, sentences
from infer_bench.reporters.grid import Grid, Row, fit, records
from infer_bench.reporters.groups import Group
from infer_bench.reporters.layout import clean, justify, style, width_of, wrap
from infer_bench.results import BenchResult, Notice, Report

_LOOKS = {"alarm": "red", "plain": ""}


class Table:
    """Aligned text for a terminal or a pipe."""

    name = "table"
    commands = frozenset({"bench"})

    def render(
        self, report: Report[Any], *, width: int | None = None, color: bool = False, phases: bool = False
    ) -> str:
        """The whole text. `phases` adds a line for each phase below its request."""
        painter = _Bench(report, width, color, phases)
        return "\n".join(painter.lines()) + "\n"


class _Bench:
    """A bench report on its way to text; nothing here changes after it was made."""

    def __init__(self, report: Report[Any], width: int | None, color: bool, phases: bool) -> None:
        self.report, self.width, self.color, self.phases = report, width, color, phases
        self.titles = cells.columns(report.settings, phases)
        self.names = {name: clean(shown) for name, shown in groups.names(report.results).items()}

    def lines(self) -> list[str]:
        models = groups.group(self.report.results, self.report.settings)
        lines = [line for model in models for line in [*self._model(model), ""]]
        tail = [*self._sentences(sentences.about_report(self.report)), *self._notices(), *self._verdict()]
        lines += [] if models else ["Nothing was measured.", ""]
        return [*lines, *tail] if tail else lines[:-1]

    def _model(self, model: tuple[Group, ...]) -> list[str]:
        rows = {group.batch: self._rows(group) for group in model}
        grid = self._fit([row for of_batch in rows.values() for row in of_batch], model)
        lines = self._header(model, grid.width if grid else 0)
        for group in model:
            lines += ["", *self._section(group, rows[group.batch], grid)]
        said = self._sentences(sentences.about_model(model))
        return lines + self._legend() + (["", *said] if said else [])

    def _fit(self, rows: Sequence[Row], model: tuple[Group, ...]) -> Grid | None:
        names = [row.name for row in rows] + [_title(group) for group in model]
        return fit(self.titles, rows, max(map(width_of, names)), self.width)

    def _header(self, model: tuple[Group, ...], table_width: int) -> list[str]:
        name, about = clean(self._model_name(model[0])), clean(cells.describe(model[0].model))
        conditions = cells.conditions(self.report, tuple(result for group in model for result in group.results))
        together = width_of(f"{name}   {about}   {conditions}")
        room = max(together, table_width)
        if self.width is None or together <= self.width:
            line = justify(f"{name}   {about}", conditions, min(room, self.width or room))
            return [line.replace(name, style(name, "bold", self.color), 1).rstrip()]
        lines = wrap(about, self.width, first=f"{name}   ", rest="  ")
        lines += wrap(conditions, self.width, first="  ", rest="  ")
        return [lines[0].replace(name, style(name, "bold", self.color), 1), *lines[1:]]

    def _model_name(self, group: Group) -> str:
        """The file's name; its whole path where another model has the same name."""
        name = _file_name(group.model.path)
        paths = {result.model.path for result in self.report.results}
        return name if sum(_file_name(path) == name for path in paths) == 1 else group.model.path

    def _section(self, group: Group, rows: Sequence[Row], grid: Grid | None) -> list[str]:
        if grid is None:
            title = style(_title(group), "bold", self.color)
            return [title, *(line for row in rows for line in self._styled(row, records(self.titles, row, self.width)))]
        lines = [style(line, "bold", self.color) for line in grid.head(_title(group))]
        for row in rows:
            lines += self._styled(row, self._body(grid, row))
        return lines

    def _styled(self, row: Row, lines: Iterable[str]) -> list[str]:
        return [style(line, row.look, self.color) for line in lines]

    def _body(self, grid: Grid, row: Row) -> list[str]:
        lines = grid.body(row)
        if not row.note or self.width is None or width_of(lines[0]) <= self.width:
            return lines
        return records(self.titles, row, self.width)

    def _rows(self, group: Group) -> list[Row]:
        return [row for result in group.results for row in self._result(result, group)]

    def _result(self, result: BenchResult, group: Group) -> list[Row]:
        name = self.names[result.candidate]
        if not cells.measured(result):
            return [Row(name, {}, clean(cells.reason(result)), "red" if result.failed else "dim")]
        line = cells.line(result, group, self.report.settings)
        rows = [Row(name, line.cells, look="red" if line.alarm else "")]
        if self.phases:
            lines = cells.phase_lines(result, self.report.settings)
            rows += [Row(f"  {line.phase}", line.cells, look="dim") for line in lines]
        return rows

    def _legend(self) -> list[str]:
        if self.phases:
            return []
        formula, flag = "request = preprocess + predict + postprocess", "(per phase: --phases)"
        return [
            style(line, "dim", self.color) for line in wrap(f"{formula}   {flag}", self.width, first="  ", rest="  ")
        ]

    def _sentences(self, said: Iterable[sentences.Sentence]) -> list[str]:
        return [
            style(line, _LOOKS[sentence.tone], self.color)
            for sentence in said
            for line in wrap(clean(sentence.text), self.width)
        ]

    def _notices(self) -> list[str]:
        lines: list[str] = []
        for (_, message, hint), notices in _merged(self.report.notices).items():
            concerned = [
                self.names.get(notice.candidate, clean(notice.candidate)) for notice in notices if notice.candidate
            ]
            whom = f" [{', '.join(' '.join(name.split()) for name in concerned)}]" if concerned else ""
            text = wrap(clean(message) + whom, self.width, first="note: ", rest="      ")
            lines += [style(line, "yellow", self.color) for line in text]
            lines += wrap(clean(hint), self.width, first="      ", rest="      ") if hint else []
        return ["", *lines] if lines else []

    def _verdict(self) -> list[str]:
        verdict = self.report.verdict
        if verdict is None or (verdict.status == "pass" and not verdict.reasons):
            return []
        look = "green" if verdict.status == "pass" else "red"
        head = f"{verdict.status}: " if verdict.reasons else verdict.status
        said = wrap(clean("; ".join(verdict.reasons)), self.width, first=head, rest="  ")
        return ["", *(style(line, look, self.color) for line in said)]


def _title(group: Group) -> str:
    return f"batch {format.count(group.batch)}"


def _file_name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1]


def _merged(notices: Iterable[Notice]) -> dict[tuple[str, str, str], list[Notice]]:
    merged: dict[tuple[str, str, str], list[Notice]] = {}
    for notice in notices:
        merged.setdefault((notice.code, notice.message, notice.hint), []).append(notice)
    return merged
