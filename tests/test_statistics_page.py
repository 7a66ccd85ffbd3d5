"""The page on statistics says what the functions compute."""

import re
from pathlib import Path

from infer_bench.measure.bench import notices
from infer_bench.measure.bench.compared_rows import FEW_COMPARED
from infer_bench.measure.bench.repeated_rows import REMEMBERED_ROWS
from infer_bench.stats.percentiles import minimum_samples

PAGE = Path(__file__).parents[1] / "docs" / "statistics.md"


def test_the_table_of_minimum_samples_is_the_functions() -> None:
    rows = re.findall(r"^\| p([\d.]+) \| (\d+) \| (\d+) \|$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert [row[0] for row in rows] == ["50", "90", "95", "99", "99.9"]
    for percent, at_95, at_99 in rows:
        q = float(percent) / 100
        assert (int(at_95), int(at_99)) == (minimum_samples(q, 0.95), minimum_samples(q, 0.99))


def test_every_notice_is_explained() -> None:
    assert tuple(re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)) == (
        *notices.CODES,
        REMEMBERED_ROWS,
        FEW_COMPARED,
    )
