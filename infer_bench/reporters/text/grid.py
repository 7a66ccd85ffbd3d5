"""Columns beside each other: what does not fit on one line of the terminal goes on to a second one, or is left out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from infer_bench.reporters.text.layout import measure_width, pad, wrap

MOST_LINES = 4
"""Beyond as many lines a candidate, a column a line with its title before it is easier to read."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: `head` and `options` name it, `cells` by column key or a `note` in their place follow."""

    head: str
    options: tuple[str, ...] = ()
    cells: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    look: str = ""
    depth: int = 0


Naming = Callable[[Row], list[str]]


@dataclass(frozen=True, slots=True)
class Grid:
    """How a table is laid out: the columns on each line of a row, the width of each place, and how rows are named."""

    titles: Mapping[str, str]
    lines: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]
    naming: Naming
    name_width: int
    gap: int

    @property
    def width(self) -> int:
        """Terminal columns taken by the table."""
        return self.name_width + sum(width + self.gap for width in self.widths)

    def head(self, title: str) -> list[str]:
        """The title lines; `title` stands where the names do."""
        return self._join([title], self.titles)

    def body(self, row: Row) -> list[str]:
        """The lines of a row."""
        name = self.naming(row)
        if row.note:
            first = pad(name[0], self.name_width) if self.name_width else name[0]
            return [f"{first}{' ' * self.gap}{row.note}", *name[1:]]
        return self._join(name, row.cells)

    def _join(self, name: list[str], cells: Mapping[str, str]) -> list[str]:
        texts = [self._line(keys, cells) for keys in self.lines]
        if not self.name_width:
            return [*name, *(text.rstrip() for text in texts if text.strip())]
        pairs = zip_longest(name, texts, fillvalue="")
        return [line for part, text in pairs if (line := (pad(part, self.name_width) + text).rstrip())]

    def _line(self, keys: Sequence[str], cells: Mapping[str, str]) -> str:
        places = enumerate(zip(keys, self.widths, strict=False))
        return "".join(" " * self.gap + self._align(key, cells.get(key, ""), place) for place, (key, _) in places)

    def _align(self, key: str, text: str, place: int) -> str:
        """Numbers to the right; a speed-up alone in its column to the left, so that its interval trails."""
        alone = sum(place < len(line) for line in self.lines) == 1
        return pad(text, self.widths[place], right=not (key == "speedup" and alone))


def fit(titles: Mapping[str, str], rows: Sequence[Row], labels: Sequence[str], width: int | None) -> Grid | None:
    """The layout with the fewest lines a row that fits into `width` columns; None when none does.

    `labels` are what else must fit into the names' column.
    """
    for grid in _list_layouts(titles, rows, labels, width):
        if width is None or grid.width <= width:
            return grid
    return None


def fit_on_one_line(
    titles: Mapping[str, str], rows: Sequence[Row], labels: Sequence[str], width: int | None, droppable: Sequence[str]
) -> tuple[Mapping[str, str], Grid | None]:
    """The columns that are kept, and their layout on one line a row; columns go in the order of `droppable`.

    Where the others do not fit either, names stand above their cells, and at last it is as `fit` has it.
    """
    kept = dict(titles)
    for key in (None, *droppable):
        if key is not None:
            kept.pop(key, None)
        for naming in (_align_options(rows), put_on_one_line):
            if grid := _fit_naming(kept, rows, labels, width, naming):
                return kept, grid
    above = Grid(kept, *_place_columns(kept, rows, 1), _put_above(width), 0, 2)
    return kept, above if width is None or above.width <= width else fit(kept, rows, labels, width)


def _fit_naming(
    titles: Mapping[str, str], rows: Sequence[Row], labels: Sequence[str], width: int | None, naming: Naming
) -> Grid | None:
    """The layout on one line with the names beside it, wide gaps before narrow ones."""
    lines, widths = _place_columns(titles, rows, 1)
    name_width = max(measure_width(text) for text in [*labels, *(line for row in rows for line in naming(row))])
    grids = (Grid(titles, lines, widths, naming, name_width, gap) for gap in (3, 2))
    return next((grid for grid in grids if width is None or grid.width <= width), None)


def _list_layouts(
    titles: Mapping[str, str], rows: Sequence[Row], labels: Sequence[str], width: int | None
) -> Iterator[Grid]:
    aligned = _align_options(rows)
    for count in range(1, MOST_LINES + 1):
        lines, widths = _place_columns(titles, rows, count)
        namings = [aligned, put_on_one_line] if count == 1 else [put_on_one_line, put_options_below, put_options_apart]
        for naming in namings:
            name_width = max(measure_width(text) for text in [*labels, *(line for row in rows for line in naming(row))])
            for gap in (3, 2):
                yield Grid(titles, lines, widths, naming, name_width, gap)
        if count > 1:
            yield Grid(titles, lines, widths, _put_above(width), 0, 2)


def _place_columns(
    titles: Mapping[str, str], rows: Sequence[Row], count: int
) -> tuple[tuple[tuple[str, ...], ...], tuple[int, ...]]:
    keys = tuple(titles)
    each = -(-len(keys) // count)
    lines = tuple(keys[start : start + each] for start in range(0, len(keys), each))
    key_widths = {key: max(measure_width(text) for text in (titles[key], *_list_texts(rows, key))) for key in keys}
    return lines, tuple(max(key_widths[line[place]] for line in lines if place < len(line)) for place in range(each))


def _list_texts(rows: Sequence[Row], key: str) -> list[str]:
    return [row.cells.get(key, "") for row in rows]


def _align_options(rows: Sequence[Row]) -> Naming:
    """Names whose options stand in a column of their own."""
    longest = max((measure_width(row.head) for row in rows if row.options), default=0)

    def name(row: Row) -> list[str]:
        return [" ".join([pad(row.head, longest), *row.options]) if row.options else _indent(row) + row.head]

    return name


def _put_above(width: int | None) -> Naming:
    """Names on lines of their own, as long as the terminal is wide."""

    def name(row: Row) -> list[str]:
        return wrap(" ".join([row.head, *row.options]), width, first=_indent(row), rest=_indent(row) + "  ")

    return name


def put_on_one_line(row: Row) -> list[str]:
    """`onnxruntime threads=1 feed=ndarray`, on one line."""
    return [_indent(row) + " ".join([row.head, *row.options])]


def put_options_below(row: Row) -> list[str]:
    """The options on a second line, indented."""
    return [_indent(row) + row.head, *(["  " + " ".join(row.options)] if row.options else [])]


def put_options_apart(row: Row) -> list[str]:
    """Each option on a line of its own, indented."""
    return [_indent(row) + row.head, *("  " + option for option in row.options)]


def _indent(row: Row) -> str:
    return "  " * row.depth


def draw_record(titles: Mapping[str, str], row: Row, width: int | None) -> list[str]:
    """A row as a list, one column a line, for a very narrow terminal."""
    longest = max(measure_width(title) for title in titles.values())
    lead = _indent(row)
    lines = _put_above(width)(row)
    if row.note:
        return lines + wrap(row.note, width, first=lead + "  ", rest=lead + "  ")
    for key, title in titles.items():
        if text := row.cells.get(key):
            first = f"{lead}  {pad(title, longest)}  "
            lines += wrap(text, width, first=first, rest=" " * measure_width(first))
    return lines
