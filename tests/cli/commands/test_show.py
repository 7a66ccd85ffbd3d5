"""`infer-bench show`: a saved report as a page or a chart."""

from pathlib import Path

import pytest

from infer_bench.cli.main import run

REPORT = str(Path(__file__).parents[2] / "saved" / "bench.json")


def test_a_report_becomes_a_page(tmp_path: Path) -> None:
    assert run(["show", REPORT, "--format", "html", "-o", str(tmp_path / "report.html")]) == 0
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(("name", "beginning"), [("latency.svg", b"<?xml"), ("latency.PNG", b"\x89PNG")])
def test_a_report_becomes_a_chart(name: str, beginning: bytes, tmp_path: Path) -> None:
    assert run(["show", REPORT, "--chart", str(tmp_path / name), "--chart-kind", "latency"]) == 0
    assert (tmp_path / name).read_bytes().startswith(beginning)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--chart", "latency.gif"], "a chart is no .gif"),
        (["--chart", "latency.svg", "--chart-kind", "pie"], "no chart 'pie'"),
        (["--chart-kind", "latency"], "--chart-kind is of a chart"),
    ],
)
def test_what_cannot_be_drawn_is_a_usage_error_and_no_file(
    options: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["show", REPORT, *options]) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_chart_never_takes_the_place_of_its_report(tmp_path: Path) -> None:
    report = tmp_path / "report.svg"
    report.write_bytes(Path(REPORT).read_bytes())
    assert run(["show", str(report), "--chart", str(report)]) == 2
    assert report.read_bytes() == Path(REPORT).read_bytes()


@pytest.mark.parametrize(("flags", "is_whole"), [([], False), (["--wide"], True)])
def test_a_narrow_terminal_shows_all_columns_when_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, flags: list[str], is_whole: bool
) -> None:
    monkeypatch.setattr("infer_bench.cli.delivery.read_terminal", lambda: (60, False))
    saved = Path(__file__).parents[2] / "saved" / "bench.json"
    assert run(["show", str(saved), *flags]) == 0
    text = capsys.readouterr().out
    assert ("cold start " in text) == is_whole
    assert ("not shown" in text) != is_whole


def test_what_else_lies_in_a_folder_is_left_out_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = Path(__file__).parents[2] / "saved"
    for name in ("bench", "validate"):
        (tmp_path / f"{name}.json").write_bytes((saved / f"{name}.json").read_bytes())
    (tmp_path / "broken.json").write_text("[1,")
    assert run(["show", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    assert "tumour_zipmap.onnx" in shown.out
    assert shown.err == "note: left out, no report of a bench: broken.json, validate.json\n"
    (tmp_path / "bench.json").unlink()
    assert run(["show", str(tmp_path)]) == 6
    assert "no report of a bench in" in capsys.readouterr().err
