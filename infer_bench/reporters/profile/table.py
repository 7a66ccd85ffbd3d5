"""A profile in a terminal: phases with bars, then tables, then what follows from them."""

from collections.abc import Iterable, Sequence
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.profile import ProfileResult
from infer_bench.reporters.profile import columns as profile_columns
from infer_bench.reporters.profile.columns import Section
from infer_bench.reporters.profile.sentences import TRY, describe_report, write_closing
from infer_bench.reporters.text.layout import clean, join_blocks, justify, measure_width, pad, style, wrap
from infer_bench.reporters.text.notices import draw_notices, list_plainly

BAR = 16
LEAST_NAME = 12
USUAL = 100
"""Columns in a pipe or a file."""


def draw_profile(report: Report[Any], width: int | None, color: bool) -> list[str]:
    """The whole text."""
    blocks = [
        block for row in report.results for block in _draw_row(report, row, width or USUAL, color, width is not None)
    ]
    blocks += [[part for text in describe_report(report) for part in wrap(text, width)]]
    blocks += [draw_notices(report, list_plainly, width, color), _draw_verdict(report, width, color)]
    return join_blocks(blocks or [["Nothing was profiled."]])


def _draw_row(report: Report[Any], row: ProfileResult, width: int, color: bool, terminal: bool) -> Iterable[list[str]]:
    left, right = (clean(part) for part in profile_columns.write_heading(report, row))
    phases = profile_columns.tabulate_phases(row, with_steps=bool(report.settings.get("split")))
    body = _draw(phases, width, color) if phases else []
    edge = min(width, max(measure_width(left) + measure_width(right) + 3, *(measure_width(line) for line in body), 0))
    yield [
        *_draw_heading(left, right, edge, width, color),
        *body,
        *_draw_dim(profile_columns.describe_start(row), width, color),
    ]
    for section in profile_columns.tabulate_others(row):
        yield _draw(section, width, color)
    yield [part for text in write_closing(report, row) for part in _draw_sentence(clean(text), width, terminal)]


def _draw_sentence(text: str, width: int, terminal: bool) -> list[str]:
    """Wrapped; a command so that it can be copied: in one line, or in a terminal with backslashes."""
    if not text.startswith(TRY):
        return wrap(text, width)
    *broken, last = wrap(text, width - 2 if terminal and measure_width(text) > width else None, rest="  ")
    return [*(f"{line} \\" for line in broken), last]


def _draw_heading(left: str, right: str, edge: int, width: int, color: bool) -> list[str]:
    if measure_width(left) + 3 + measure_width(right) <= width:
        return [justify(left, right, edge).rstrip().replace(left, style(left, "bold", color), 1)]
    return [*(style(line, "bold", color) for line in wrap(left, width)), *wrap(right, width, first="  ", rest="  ")]


def _draw_dim(text: str, width: int, color: bool) -> list[str]:
    return [style(line, "dim", color) for line in wrap(text, width, first="  ", rest="  ")] if text else []


def _draw(section: Section, width: int, color: bool) -> list[str]:
    """The title with the numbers' heads at its right where they fit, then the rows."""
    rows = [tuple(map(clean, row)) for row in section.rows]
    heads = tuple(clean(text) for text in section.head)
    widths = _fit_widths(section, [heads, *rows], width)
    if 2 + sum(widths) + 2 * (len(widths) - 1) > width:
        return _fold(section, heads, rows, width)
    lines = [
        _draw_line(row, widths, section, bar) for row, bar in zip(rows, _draw_bars(section, widths, width), strict=True)
    ]
    if not section.title:
        return lines
    head = _draw_line(("", *heads[1:]), widths, section, "")
    title, free = section.title, measure_width(head) - measure_width(head.lstrip())
    if measure_width(title) < free:
        return [style(title, "bold", color) + head[measure_width(title) :], *lines]
    return [*(style(part, "bold", color) for part in wrap(title, width)), *([head] if head.strip() else []), *lines]


def _fold(section: Section, heads: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """A row as text that is broken, its numbers with their heads, where not even shortened names leave room."""
    lines = wrap(section.title, width) if section.title else []
    for row in rows:
        numbers = (
            f"{head} {text}".strip()
            for head, text in zip(heads[section.left :], row[section.left :], strict=True)
            if text
        )
        text = ", ".join([" ".join(filter(None, map(str.strip, row[: section.left]))), *numbers])
        lines += wrap(text, width, first="  ", rest="      ")
    return lines


def _fit_widths(section: Section, rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """As wide as needed, or as the section says where that is too wide."""
    widths = [max(measure_width(row[i]) for row in rows) for i in range(len(section.head))]
    over = 4 + sum(widths) + 2 * (len(widths) - 1) - width
    for i in section.gives_way if over > 0 else ():
        spare = max(0, widths[i] - LEAST_NAME)
        widths[i] -= min(spare, over)
        over -= min(spare, over)
    return widths


def _draw_bars(section: Section, widths: Sequence[int], width: int) -> list[str]:
    """A bar for each row that has a share, where there is room for them."""
    shares = section.bars or (None,) * len(section.rows)
    room = min(BAR, width - sum(widths) - 2 * len(widths) - 4)
    longest = max((share for share in shares if share is not None), default=0.0)
    if room < 4 or longest <= 0:
        return [""] * len(shares)
    return [pad("█" * round(room * share / longest) if share is not None else "", room) for share in shares]


def _draw_line(row: Sequence[str], widths: Sequence[int], section: Section, bar: str) -> str:
    shorten = _keep_end if section.paths else _keep_front
    texts = [pad(shorten(text, widths[i]), widths[i]) for i, text in enumerate(row[: section.left])]
    numbers = [pad(text, widths[section.left + i], right=True) for i, text in enumerate(row[section.left :])]
    return ("  " + "  ".join([*texts, *([bar] if bar else []), *numbers])).rstrip()


def _keep_front(text: str, width: int) -> str:
    """The beginning of a text that is too long."""
    return text if measure_width(text) <= width else _keep_end(text[::-1], width)[::-1]


def _keep_end(text: str, width: int) -> str:
    """The end of a text that is too long: of a path, the file and its function."""
    if measure_width(text) <= width:
        return text
    end = ""
    for char in reversed(text):
        if measure_width(char + end) >= width:
            break
        end = char + end
    return "…" + end


def _draw_verdict(report: Report[Any], width: int | None, color: bool) -> list[str]:
    verdict = report.verdict
    if verdict is None or not verdict.reasons:
        return []
    text = f"{verdict.status}: {'; '.join(verdict.reasons)}"
    return [style(line, "red", color) for line in wrap(clean(text), width, rest="  ")]
