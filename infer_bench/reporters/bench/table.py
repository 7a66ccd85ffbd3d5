"""The terminal's table of a bench: one line a candidate with the columns that fit, and what follows."""

from collections.abc import Iterable, Mapping
from typing import Any

from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Report
from infer_bench.reporters.bench import columns as bench_columns
from infer_bench.reporters.bench import groups
from infer_bench.reporters.bench.columns import collect_notices
from infer_bench.reporters.bench.groups import BatchGroup, Comparison
from infer_bench.reporters.bench.sentences.describe import describe_model, describe_report, explain_missing
from infer_bench.reporters.bench.sentences.sentence import Sentence
from infer_bench.reporters.bench.sentences.verdict import describe_verdict
from infer_bench.reporters.text import numbers
from infer_bench.reporters.text.grid import Grid, Row, draw_record, fit, fit_on_one_line
from infer_bench.reporters.text.layout import clean, join_blocks, justify, measure_width, pad, style, wrap
from infer_bench.reporters.text.notices import draw_notices

_LOOKS = {"alarm": "red", "plain": ""}


def draw_table(report: Report[Any], width: int | None, color: bool, *, phases: bool) -> list[str]:
    """The whole text. `phases` adds a line for each phase below its request."""
    return _Table(report, width, color, phases).lines()


def draw_models(report: Report[Any], width: int | None, color: bool) -> list[list[str]]:
    """The table of each model with its phases, and nothing around them."""
    return _Table(report, width, color, phases=True).tables()


class _Table:
    """A bench report on its way to text; nothing here changes after it was made."""

    def __init__(self, report: Report[Any], width: int | None, color: bool, phases: bool) -> None:
        self.report, self.width, self.color, self.phases = report, width, color, phases
        self.models = groups.group_results(report.results, report.settings)
        self.all_titles = bench_columns.select_columns(report, phases)
        self.titles, self.grid = self._fit()

    def lines(self) -> list[str]:
        blocks = self.tables() or [["Nothing was measured."]]
        noted = draw_notices(self.report, collect_notices, self.width, self.color)
        blocks += [self._sentences(describe_report(self.report)), noted, self._verdict()]
        return join_blocks(blocks)

    def tables(self) -> list[list[str]]:
        return [self._model(model) for model in self.models]

    def _fit(self) -> tuple[Mapping[str, str], Grid | None]:
        """The columns that there is room for, in one layout for all models, so that they can be compared."""
        every = [group for model in self.models for group in model]
        rows, labels = [row for group in every for row in self._rows(group)], [_name_batch(group) for group in every]
        if not any(row.cells for row in rows):
            return self.all_titles, fit(self.all_titles, rows, labels, self.width) if rows else None
        droppable = bench_columns.rank_droppable(self.report.settings)
        return fit_on_one_line(self.all_titles, rows, labels, self.width, droppable)

    def _model(self, model: Comparison) -> list[str]:
        sections = [self._section(group) for group in model]
        sections[-1] += self._legend() if model is self.models[0] else []
        return join_blocks([self._header(model), *sections, self._sentences(describe_model(model))])

    def _header(self, model: Comparison) -> list[str]:
        results = tuple(result for group in model for result in group.results)
        conditions = clean(bench_columns.describe_conditions(self.report, results))
        if len(model[0].models) > 1:
            return self._list_models(model[0]) + self._conditions(model[0], conditions)
        name, about = clean(model[0].names[model[0].model.path]), clean(bench_columns.describe(model[0].model))
        together = measure_width(f"{name}   {about}   {conditions}")
        if self.width is None or together <= self.width:
            line = justify(f"{name}   {about}", conditions, max(together, self.grid.width if self.grid else 0)).rstrip()
            return [line.replace(name, style(name, "bold", self.color), 1)]
        lines = [style(line, "bold", self.color) for line in wrap(name, self.width)]
        if measure_width(f"{name}   {about}") <= self.width:
            lines = [f"{lines[0]}   {about}"]
        else:
            lines += wrap(about, self.width, first="  ", rest="  ")
        return lines + wrap(conditions, self.width, first="  ", rest="  ")

    def _list_models(self, group: BatchGroup) -> list[str]:
        """A line a model, what they are in one column."""
        pairs = [(clean(group.names[info.path]), clean(bench_columns.describe(info))) for info in group.models]
        longest = max(measure_width(name) for name, _ in pairs)
        lines: list[str] = []
        for name, about in pairs:
            first, *others = wrap(about, self.width, first=pad(name, longest) + "   ", rest="  ")
            lines += [first.replace(name, style(name, "bold", self.color), 1), *others]
        return lines

    def _conditions(self, group: BatchGroup, conditions: str) -> list[str]:
        """What holds for all models of a comparison; also the candidate, where it is one and the same."""
        alike = [clean(groups.name_candidate(group.results[0]))] if group.is_uniform else []
        return wrap(" · ".join([*alike, conditions]), self.width, first="  ", rest="  ")

    def _section(self, group: BatchGroup) -> list[str]:
        rows, title = self._rows(group), _name_batch(group)
        head = self.grid.head(title) if self.grid and any(row.cells for row in rows) else [title]
        lines = [style(line, "bold", self.color) for line in head]
        for row in rows:
            first, *others = self._body(row)
            lines.append(style(first, row.look or self._name_look(row), self.color))
            lines += [style(line, row.look, self.color) for line in others]
        return lines

    def _name_look(self, row: Row) -> str:
        """A name that stands above its cells is set off from them."""
        return "bold" if (self.grid is None or not self.grid.name_width) and not row.depth else ""

    def _body(self, row: Row) -> list[str]:
        lines = self.grid.body(row) if self.grid else draw_record(self.titles, row, self.width)
        too_wide = self.width is not None and max(map(measure_width, lines)) > self.width
        return draw_record(self.titles, row, self.width) if too_wide and row.note else lines

    def _rows(self, group: BatchGroup) -> list[Row]:
        return [row for result in group.results for row in self._result(result, group)]

    def _result(self, result: BenchResult, group: BatchGroup) -> list[Row]:
        head, options = group.split_name(result)
        name = clean(head), tuple(map(clean, options))
        if not bench_columns.has_numbers(result):
            return [
                Row(*name, note=clean(bench_columns.explain_failure(result)), look="red" if result.failed else "dim")
            ]
        line = bench_columns.fill_line(result, group, self.report.settings)
        rows = [Row(*name, line.cells, look="red" if line.alarm else "")]
        for part in bench_columns.fill_phase_lines(result, self.report.settings) if self.phases else ():
            rows.append(Row(part.phase, cells=part.cells, look="dim", depth=1))
        return rows

    def _legend(self) -> list[str]:
        has_phases = not self.phases and any(result.phases for result in self.report.results)
        texts = ["request = preprocess + predict + postprocess (per phase: --phases)"] if has_phases else []
        texts += filter(None, [explain_missing(self.report, phases=self.phases, shown=self.titles)])
        dropped = [title for key, title in self.all_titles.items() if key not in self.titles]
        texts += [f"not shown: {', '.join(dropped)} (--wide shows all)"] if dropped else []
        lines = [line for text in texts for line in wrap(text, self.width, first="  ", rest="  ")]
        return [style(line, "dim", self.color) for line in lines]

    def _sentences(self, about: Iterable[Sentence]) -> list[str]:
        return [
            style(line, _LOOKS[sentence.tone], self.color)
            for sentence in about
            for line in wrap(clean(sentence.text), self.width)
        ]

    def _verdict(self) -> list[str]:
        verdict = self.report.verdict
        if verdict is None or (verdict.status == "pass" and not verdict.reasons):
            return []
        look = "green" if verdict.status == "pass" else "red"
        if verdict.status == "not-comparable":  # what differs may be much
            wrapped = [wrap(clean(reason), self.width, first="  ", rest="    ") for reason in verdict.reasons]
            return [style(line, look, self.color) for line in [f"{verdict.status}:", *(x for n in wrapped for x in n)]]
        text = describe_verdict(verdict, self.report.results)
        return [style(line, look, self.color) for line in wrap(clean(text), self.width, rest="  ")]


def _name_batch(group: BatchGroup) -> str:
    return f"batch {numbers.count(group.batch)}"
