"""Text fits its columns: wide characters count twice, nothing is lost by wrapping, nothing steers the terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.reporters.text.grid import Row, draw_record, fit
from infer_bench.reporters.text.layout import clean, justify, measure_width, pad, style, wrap

words = st.lists(st.text("ab 価é-", min_size=1, max_size=9), max_size=9).map(" ".join)


@given(words, st.integers(4, 40))
def test_wrapping_keeps_every_character_and_the_width(text: str, width: int) -> None:
    lines = wrap(text, width, first="> ", rest="  ")

    assert all(measure_width(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "").removeprefix(">") == text.replace(" ", "")


def test_a_number_stays_with_its_unit() -> None:
    assert wrap("it took 42.1 ms in 3 rounds", 12) == ["it took", "42.1 ms in", "3 rounds"]
    assert wrap("as wide as it gets", None, first="- ") == ["- as wide as it gets"]


def test_what_fits_keeps_the_space_between_its_parts() -> None:
    assert wrap("1.7e-16   labels: 0 differ", 40, first="max   ", rest="      ") == ["max   1.7e-16   labels: 0 differ"]


def test_wide_characters_take_two_columns() -> None:
    assert pad("価格", 6) + "|" == "価格  |"
    assert pad("価格", 6, right=True) == "  価格"
    assert justify("価", "格", 8) == "価    格"


@pytest.mark.parametrize(
    ("text", "clean_text"),
    [
        ("a\nb\r\nc\td", "a b c d"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\x9b31m", "\\x9b31m"),
        ("\udce9", "\\udce9"),
        ("häuser_価格 🌲", "häuser_価格 🌲"),
    ],
)
def test_a_name_cannot_steer_the_terminal(text: str, clean_text: str) -> None:
    assert clean(text) == clean_text


def test_colour_only_where_it_is_allowed() -> None:
    assert style("x", "red", True) == "\x1b[1;31mx\x1b[0m"
    assert style("x", "red", False) == style("x", "", True) == "x"
    assert style("  ", "bold", True) == "  "


cell = st.text("0123456789 ms価", max_size=9).map(str.strip)


@given(
    st.lists(st.tuples(st.text("abc価", min_size=1, max_size=12), st.lists(cell, min_size=5, max_size=5)), min_size=1),
    st.integers(20, 100),
)
def test_no_layout_loses_a_cell(table: list[tuple[str, list[str]]], width: int) -> None:
    titles = {key: key for key in ("p50", "p95", "rows/s", "speedup", "file")}
    rows = [Row(name, ("feed=ndarray",), dict(zip(titles, cells, strict=True))) for name, cells in table]
    grid = fit(titles, rows, ["batch 1"], width)
    for row in rows:
        lines = grid.body(row) if grid else draw_record(titles, row, width)
        flat = "".join(lines).replace(" ", "")
        assert all(text.replace(" ", "") in flat for text in [row.head, *row.options, *row.cells.values()])
        assert grid is None or all(measure_width(line) <= width for line in lines)
        assert all(line == line.rstrip() and line for line in lines)


def test_columns_stand_under_their_titles() -> None:
    titles = {"p50": "p50", "p95": "p95", "file": "file"}
    rows = [Row("a", cells={"p50": "1 ms", "p95": "20 ms", "file": "3 MB"}), Row("b", cells={"p95": "価"})]
    grid = fit(titles, rows, [], 14)
    assert grid is not None

    assert grid.head("") == ["    p50    p95", "   file"]
    assert grid.body(rows[0]) == ["a  1 ms  20 ms", "   3 MB"]
    assert grid.body(rows[1]) == ["b           価"]
