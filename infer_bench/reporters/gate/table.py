"""The terminal's view of a gate: both sides of every metric, how many times slower, and what was concluded."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from infer_bench.report.common import Report
from infer_bench.reporters.bench.columns import collect_notices
from infer_bench.reporters.bench.sentences.describe import describe_report
from infer_bench.reporters.gate import columns as gate_columns
from infer_bench.reporters.gate import sentences as gate_sentences
from infer_bench.reporters.gate.columns import CheckLine
from infer_bench.reporters.gate.groups import CheckGroup, group_checks, require_gate
from infer_bench.reporters.text.layout import clean, join_blocks, measure_width, pad, style, wrap
from infer_bench.reporters.text.notices import draw_notices

_INDENT = "  "
_BELOW = " " * 6
_MOST_BESIDE = 2
"""Lines that a conclusion may take behind the numbers; the reasons of a longer one go below them."""
_LEAST = 24
"""Columns that a conclusion needs to stand behind the numbers; in fewer it goes below them."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """The widths that all groups of a report share, and whether a line's ratio stands on a line of its own."""

    metric: int
    baseline: int
    value: int
    ratio: int
    interval: int
    gap: int = 3
    is_below: bool = False

    @property
    def values(self) -> int:
        """Columns up to the end of the two values."""
        widths = [len(_INDENT) + self.metric, *(width + self.gap for width in (self.baseline, self.value) if width)]
        return sum(widths)

    @property
    def numbers(self) -> int:
        """Columns up to where the conclusion begins, gap included."""
        ratio = self.ratio + (self.interval + 2 if self.interval else 0)
        return self.values + (ratio + self.gap if ratio else 0) + self.gap


def draw_gate(report: Report[Any], width: int | None, color: bool) -> list[str]:
    """The whole report as lines of at most `width` columns."""
    groups = group_checks(report)
    rows = [[_clean(line) for line in gate_columns.fill_lines(group)] for group in groups]
    titles = gate_columns.write_titles(require_gate(report))
    columns = _fit([line for of_group in rows for line in of_group], titles, width)
    blocks = [
        _draw_titles(titles, of_group, columns, width, color) + _draw_rows(of_group, columns, width, color)
        for of_group in rows
    ]
    for group, block, name in zip(
        groups, blocks, gate_sentences.write_headings(groups, require_gate(report)), strict=True
    ):
        how = gate_sentences.describe_conditions(require_gate(report)) if group is groups[0] else ""
        block[:0] = [*_draw_heading(clean(name), how, width, color), *_draw_versions(group, report, width)]
        block += _draw_sensitivity(group, width, color) if len(groups) > 1 else []
    about = [line for sentence in describe_report(report) for line in wrap(clean(sentence.text), width)]
    around = join_blocks([about, draw_notices(report, collect_notices, width, color)])
    closing = _draw_verdict(report, groups, columns, width, color)
    if len(groups) == 1 and not around:
        return blocks[0] + closing
    return join_blocks([*(blocks or [["Nothing was measured."]]), around, closing])


def _clean(line: CheckLine) -> CheckLine:
    texts: dict[str, Any] = {name: clean(text) for name, text in asdict(line).items()}
    return CheckLine(**texts)


def _fit(rows: Sequence[CheckLine], titles: CheckLine, width: int | None) -> _Columns:
    """As wide as the terminal allows: wide gaps, narrow ones, then the ratio below the values."""
    whole = [line for line in rows if line.interval]
    named = [*rows, titles] if any(line.baseline for line in rows) else rows
    columns = _Columns(
        metric=max((measure_width(line.metric) for line in rows), default=0),
        baseline=max((measure_width(line.baseline) for line in named), default=0),
        value=max((measure_width(line.value) for line in named), default=0),
        ratio=max((measure_width(line.ratio) for line in whole), default=0),
        interval=max((measure_width(line.interval) for line in whole), default=0),
    )
    limits = max((measure_width(line.ratio) for line in rows if not line.interval), default=0)
    if limits > columns.ratio + (columns.interval + 2 if columns.interval else 0):
        columns = replace(columns, ratio=limits - (columns.interval + 2 if columns.interval else 0))
    longest = max((measure_width(line.outcome) for line in rows), default=0)
    for gap, room in ((3, longest), (2, longest), (3, _LEAST), (2, _LEAST)):
        fitting = replace(columns, gap=gap)
        if width is None or fitting.numbers + room <= width:
            return fitting
    return replace(columns, gap=2, is_below=True)


def _draw_titles(
    titles: CheckLine, rows: Sequence[CheckLine], columns: _Columns, width: int | None, color: bool
) -> list[str]:
    """Which value is which, and what the ratio is of; nothing without a baseline."""
    if not any(line.baseline for line in rows):
        return []
    line = _draw_values(titles, columns)
    if columns.is_below:
        lines = [line] if width is None or measure_width(line) <= width else []
        return [style(text, "dim", color) for text in lines]
    whole = f"{line}{' ' * columns.gap}{titles.ratio}" if any(row.ratio for row in rows) else line
    return [style(whole if width is None or measure_width(whole) <= width else line, "dim", color)]


def _draw_rows(rows: Sequence[CheckLine], columns: _Columns, width: int | None, color: bool) -> list[str]:
    return [style(line, row.look, color) for row in rows for line in _draw_row(row, columns, width)]


def _draw_heading(name: str, how: str, width: int | None, color: bool) -> list[str]:
    together = f"{name}     {how}".rstrip()
    if width is None or measure_width(together) <= width:
        return [style(name, "bold", color) + together[len(name) :]]
    rest = wrap(how, width, first=_INDENT, rest=_INDENT) if how else []
    return [*(style(line, "bold", color) for line in wrap(name, width)), *rest]


def _draw_versions(group: CheckGroup, report: Report[Any], width: int | None) -> list[str]:
    sides = gate_sentences.compare_environments(group, require_gate(report))
    return [
        line
        for role, versions in sides
        for line in wrap(clean(versions), width, first=f"{_INDENT}{pad(role, 9)}  ", rest=" " * 13)
    ]


def _draw_sensitivity(group: CheckGroup, width: int | None, color: bool) -> list[str]:
    texts = map(clean, gate_sentences.describe_sensitivity(group.checks))
    return [style(line, "dim", color) for line in _indent(texts, width)]


def _draw_row(row: CheckLine, columns: _Columns, width: int | None) -> list[str]:
    gap = " " * columns.gap
    values, ratio = _draw_values(row, columns), row.ratio
    if row.interval:
        ratio = f"{pad(row.ratio, columns.ratio)}  {row.interval}"
    if columns.is_below:
        return _fold(row, values, columns, width)
    first = pad(f"{values}{gap}{ratio}" if columns.numbers > columns.values + columns.gap else values, columns.numbers)
    beside = wrap(row.outcome, width, first=first, rest=" " * columns.numbers)
    if len(beside) <= _MOST_BESIDE:
        return beside
    outcome, _, why = row.outcome.partition(": ")
    return [f"{first}{outcome}:", *wrap(why, width, first=_BELOW, rest=_BELOW)] if why else beside


def _draw_values(row: CheckLine, columns: _Columns) -> str:
    """The metric and both values."""
    parts = [pad(row.metric, columns.metric)]
    parts += [pad(row.baseline, columns.baseline, right=True)] if columns.baseline else []
    parts += [pad(row.value, columns.value, right=True)] if columns.value else []
    return _INDENT + (" " * columns.gap).join(parts)


def _fold(row: CheckLine, values: str, columns: _Columns, width: int | None) -> list[str]:
    """The values, then below them what follows; a line of values that is still too wide is broken."""
    texts = [" ".join(part for part in (row.ratio, row.interval) if part), row.outcome]
    if width is not None and measure_width(values) > width:
        words = " ".join(part for part in (row.metric, row.baseline, row.value) if part)
        head = wrap(words, width, first=_INDENT, rest=_BELOW)
    else:
        head = [values.rstrip()]
    return head + [line for text in texts if text for line in wrap(text, width, first=_BELOW, rest=_BELOW)]


def _draw_verdict(
    report: Report[Any], groups: Sequence[CheckGroup], columns: _Columns, width: int | None, color: bool
) -> list[str]:
    """The status and why, what would have been seen, and the exit code: on one line where there is room."""
    look = "green" if report.verdict and report.verdict.status == "pass" else "red"
    lead = pad("verdict", len(_INDENT) + columns.metric) + "  "
    verdict, code = clean(gate_sentences.describe_verdict(report, groups)), gate_sentences.name_exit_code(report)
    detectable = (
        [clean(text) for text in gate_sentences.describe_sensitivity(groups[0].checks)] if len(groups) == 1 else []
    )
    beside_first = [*detectable[:1], code], detectable[1:]
    for parts, below in (beside_first, ([code], detectable), ([], [code, *detectable])):
        line = (" " * 10).join([lead + verdict, *parts])
        if width is None or measure_width(line) <= width:
            whole = style(lead + verdict, look, color) + line[len(lead + verdict) :].rstrip()
            return [whole, *_indent(below, width)]
    return [style(line, look, color) for line in wrap(verdict, width, first=lead, rest=_INDENT)] + _indent(
        [code, *detectable], width
    )


def _indent(texts: Iterable[str], width: int | None) -> list[str]:
    return [line for text in texts for line in wrap(text, width, first=_INDENT, rest=_INDENT)]
