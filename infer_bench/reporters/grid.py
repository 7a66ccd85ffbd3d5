"""Columns that never drop: what does not fit on one line of the terminal goes on to a second one, still aligned."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from infer_bench.reporters.layout import pad, width_of, wrap

GAP = 3
NARROW_GAP = 2
MOST_LINES = 3
"""Beyond as many lines a candidate, a column a line with its title before it is easier to read."""


@dataclass(frozen=True, slots=True)
class Row:
    """A candidate's name and its cells by column key, or the `note` that stands in their place."""

    name: str
    cells: Mapping[str, str]
    note: str = ""
    look: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """How columns are laid out: `keys` by line of a row, the width of each place, the name beside them or above."""

    titles: Mapping[str, str]
    lines: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]
    name_width: int
    beside: bool
    gap: int

    @property
    def width(self) -> int:
        """Terminal columns taken by the table."""
        return self.name_width + sum(width + self.gap for width in self.widths)

    def head(self, title: str) -> list[str]:
        """The title lines; `title` stands where the names do."""
        return self._cells(title, self.titles)

    def body(self, row: Row) -> list[str]:
        """The lines of a row; empty ones are left out."""
        if row.note:
            lead = pad(row.name, self.name_width) if self.beside else row.name
            return [f"{lead}{' ' * self.gap}{row.note}"]
        return self._cells(row.name, row.cells)

    def _cells(self, name: str, cells: Mapping[str, str]) -> list[str]:
        texts = [self._line(keys, cells) for keys in self.lines]
        first = pad(name, self.name_width) if self.beside else name
        blank = " " * self.name_width
        if not self.beside:
            return [name, *(blank + text for text in texts if text.strip())]
        later = [blank + text for text in texts[1:] if text.strip()]
        return [(first + texts[0]).rstrip(), *later]

    def _line(self, keys: Sequence[str], cells: Mapping[str, str]) -> str:
        places = zip(keys, self.widths, strict=False)
        return "".join(" " * self.gap + align(key, cells.get(key, ""), width) for key, width in places).rstrip()


def align(key: str, text: str, width: int) -> str:
    """Numbers to the right; a speed-up to the left, so that its interval may trail."""
    return pad(text, width, right=key != "speedup")


def fit(titles: Mapping[str, str], rows: Sequence[Row], name_width: int, width: int | None) -> Grid | None:
    """The layout with the fewest lines a row that fits into `width` columns; None when not even three lines do."""
    for grid in _candidates(titles, rows, name_width):
        if width is None or grid.width <= width:
            return grid
    return None


def _candidates(titles: Mapping[str, str], rows: Sequence[Row], name_width: int) -> Iterator[Grid]:
    for count in range(1, MOST_LINES + 1):
        for gap in (GAP, NARROW_GAP):
            yield _grid(titles, rows, count, name_width, True, gap)
        if count > 1:
            yield _grid(titles, rows, count, 0, False, NARROW_GAP)


def _grid(titles: Mapping[str, str], rows: Sequence[Row], count: int, name_width: int, beside: bool, gap: int) -> Grid:
    keys = tuple(titles)
    each = -(-len(keys) // count)
    lines = tuple(keys[start : start + each] for start in range(0, len(keys), each))
    needed = {key: max(width_of(text) for text in (titles[key], *_texts(rows, key))) for key in keys}
    widths = tuple(max(needed[line[place]] for line in lines if place < len(line)) for place in range(each))
    return Grid(titles, lines, widths, name_width, beside, gap)


def _texts(rows: Sequence[Row], key: str) -> list[str]:
    return [row.cells.get(key, "") for row in rows]


def records(titles: Mapping[str, str], row: Row, width: int | None) -> list[str]:
    """A row as a list, one column a line, for a very narrow terminal."""
    longest = max(width_of(title) for title in titles.values())
    lines = wrap(row.name, width, rest="  ")
    if row.note:
        return lines + wrap(row.note, width, first="  ", rest="  ")
    return lines + [f"  {pad(titles[key], longest)}  {text}" for key in titles if (text := row.cells.get(key))]
