"""A page and a chart beside the table: tried before anything is measured, and nothing is lost to them."""

from pathlib import Path

import pytest

from infer_bench.cli.illustrations import Illustrations
from infer_bench.cli.main import run
from infer_bench.errors import UsageError
from infer_bench.report.serialize import load_report
from tests.cli.gating import SAMPLES

pytestmark = pytest.mark.usefixtures("fake_engines")
BENCH = ["bench", "tests.fakes:do", "-e", "fake", "--rounds", "2", "--processes", "1"]
SAVED = Path(__file__).parents[1] / "saved"


def test_both_are_written_beside_the_table(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*BENCH, "-d", rows, "--html", "page.html", "--chart", "chart.svg", "--json", "r.json"]) == 0
    assert "p50" in capsys.readouterr().out
    assert Path("page.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert Path("chart.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert run(["show", "r.json", "--format", "html", "-o", "again.html"]) == 0
    assert Path("again.html").read_bytes() == Path("page.html").read_bytes()


def test_a_conversion_and_a_comparison_have_pages_too(rows: str) -> None:
    model = str(SAMPLES / "credit.txt")
    assert run(["convert", model, "-o", "c.onnx", "--html", "c.html"]) == 0
    assert run(["validate", model, "c.onnx", "--html", "v.html", "--chart", "v.png", "--probes", "only"]) == 0
    assert "c.onnx" in Path("c.html").read_text(encoding="utf-8")
    assert Path("v.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--html", "-"], 2, "--html takes a file"),
        (["--chart", "-"], 2, "--chart takes a file"),
        (["--chart", "a.gif"], 2, ".svg or .png"),
        (["--html", "no/where.html"], 6, "no folder"),
        (["--html", "rows.npz"], 2, "--html would overwrite"),
        (["--html", "a.html", "--json", "a.html"], 2, "would overwrite"),
        (["--html", ""], 2, "names no file"),
    ],
)
def test_what_cannot_be_written_is_said_first(
    rows: str, arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*BENCH, "-d", rows, *arguments]) == code
    output = capsys.readouterr()
    assert words in output.err
    assert not output.out


def test_a_report_without_numbers_has_a_page_and_no_chart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = load_report(SAVED / "convert.json")
    Illustrations(chart=str(tmp_path / "a.svg")).write(report)
    assert "a.svg is not written" in capsys.readouterr().err
    assert not (tmp_path / "a.svg").exists()
    with pytest.raises(UsageError, match="no chart of a report of convert"):
        Illustrations(chart="a.svg").check("convert")
