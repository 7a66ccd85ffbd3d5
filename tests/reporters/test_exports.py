"""What goes into a pull request, a spreadsheet or a script."""

import csv
import io
import re
from dataclasses import replace

import pytest

from infer_bench.errors import UsageError
from infer_bench.report.serialize import dump
from infer_bench.reporters import registry
from infer_bench.reporters.text.markdown import escape
from tests import reports


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_one_row_a_candidate_and_batch_with_raw_integers() -> None:
    rows = rows_of(registry.render(reports.wide(), "csv"))

    assert [(row["model"], row["batch"]) for row in rows[:4]] == [
        ("/models/credit.txt", b) for b in ["1", "1", "1", "64"]
    ]
    assert len(rows) == len(reports.wide().results)
    assert (rows[1]["p50_ns"], rows[1]["artifact_bytes"], rows[1]["speedup_low"]) == ("42100", "1118000", "88.3")
    assert rows[1]["predict_p50_ns"] == "20900"


def test_csv_of_failures_and_of_what_is_unknown() -> None:
    rows = {row["candidate"]: row for row in rows_of(registry.render(reports.troubled(), "csv"))}

    killed = rows["xgboost:feed=dataframe,api=sklearn"]
    assert killed["failed"].startswith("the worker was killed")
    assert killed["p50_ns"] == killed["speedup"] == killed["rss_bytes"] == ""
    assert rows["lightgbm:feed=packed"]["p99_ns"] == ""


@pytest.mark.parametrize("reason", ['say "no", twice', "two\nlines", "a,b", "価格"])
def test_csv_gives_back_any_text(reason: str) -> None:
    text = registry.render(reports.report(reports.failure("lightgbm", reason)), "csv")

    assert rows_of(text)[0]["failed"] == reason


def test_csv_names_every_value_with_its_unit() -> None:
    header = registry.render(reports.report(), "csv").splitlines()[0].split(",")
    quantities = [name for name in header if re.search(r"p\d|mean|min|max_(?!abs)|start|rss|artifact|warmup", name)]

    assert len(header) == len(set(header))
    assert all(name.endswith(("_ns", "_bytes")) for name in quantities)


def test_markdown_tables_have_as_many_cells_in_every_row() -> None:
    text = registry.render(reports.troubled(), "markdown", phases=True)
    table = [line for line in text.splitlines() if line.startswith("|")]

    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {12}
    assert table[1] == "|:--|" + "--:|" * 10
    assert any(line.startswith("| ↳ predict |") for line in table)


def test_markdown_says_what_the_table_says() -> None:
    text = registry.render(reports.troubled(), "markdown")

    assert text.startswith("### credit.txt\n\nLightGBM binary, 300 trees")
    assert "- **DIFFERENT: onnxruntime (threads=2) gives another label in 12 of 1,024 rows.**" in text
    assert "failed: the worker was killed by SIGKILL" in text
    assert "> **Note:** 4 threads on 1.5 effective cores<br>--threads 1" in text


@pytest.mark.parametrize(
    ("text", "markdown"),
    [("a|b", r"a\|b"), ("<script>", r"\<script\>"), ("__x__", r"\_\_x\_\_"), ("a\nb", "a b"), ("`*`", r"\`\*\`")],
)
def test_markdown_shows_text_as_it_is(text: str, markdown: str) -> None:
    assert escape(text) == markdown


def test_json_is_the_document_that_is_saved() -> None:
    assert registry.render(reports.wide(), "json").encode() == dump(reports.wide())


@pytest.mark.parametrize("format", ["table", "markdown", "csv", "json"])
def test_a_report_of_another_command_is_refused(format: str) -> None:
    with pytest.raises(UsageError, match=f"{format} cannot render a report of brew") as caught:
        registry.render(replace(reports.report(), command="brew"), format)

    assert "bench" in caught.value.hint


def test_an_unknown_format_lists_the_known_ones() -> None:
    assert set(registry.names()) >= {"table", "markdown", "csv", "json"}
    with pytest.raises(UsageError, match="no reporter 'xml'"):
        registry.render(reports.report(), "xml")
