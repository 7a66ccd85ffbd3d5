"""What a gate concluded, in markdown and in CSV."""

import csv
import io
import re

import pytest

from infer_bench.reporters.registry import render
from tests import gate_reports


def test_markdown_begins_with_the_verdict() -> None:
    text = render(gate_reports.regressed(), "markdown")

    assert text.startswith("### ❌ regressed (p50, p95) · exit 1\n\n#### new.onnx against old.onnx\n")
    row = "| p50 | 24.9 µs | 27.4 µs | 1.10× (1.095–1.106) | **regressed: more than 5 % slower** |"
    assert row in text
    assert text.rstrip().endswith("1 thread · 1,024 rows cycled")


@pytest.mark.parametrize("name", gate_reports.ALL)
def test_markdown_tables_have_five_cells_in_every_row(name: str) -> None:
    rows = [line for line in render(gate_reports.ALL[name], "markdown").splitlines() if line.startswith("|")]

    assert {len(re.findall(r"(?<!\\)\|", line)) for line in rows} == {6}


def test_csv_has_a_row_a_check_with_raw_numbers() -> None:
    rows = list(csv.DictReader(io.StringIO(render(gate_reports.limits(), "csv"))))

    assert [(row["metric"], row["kind"], row["unit"], row["outcome"]) for row in rows] == [
        ("p99", "limit", "ns", "pass"),
        ("rss", "limit", "bytes", "regressed"),
        ("cold_start", "limit", "ns", "pass"),
        ("max_abs_delta", "delta", "", "different"),
    ]
    assert rows[1]["value"] == "88200000.0"
    assert rows[0]["ratio"] == ""
