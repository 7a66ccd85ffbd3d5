"""`infer-bench quantize`: exit codes, what is printed, and that nothing is lost or half-written."""

import json
from pathlib import Path

import numpy as np
import pytest

from infer_bench.cli.main import run
from infer_bench.measure.quantize import times
from tests.networks import TRAINING, digits, save_full


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(times, "PROCESSES", 1)
    monkeypatch.setattr(times, "ROUNDS", 2)
    save_full(Path("n.onnx"))
    pixels, labels = digits()
    np.savez("rows.npz", x=pixels[TRAINING:])
    np.save("labels.npy", labels[TRAINING:])


def test_a_table_a_report_and_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["n.onnx", "-o", "s.onnx", "-d", "rows.npz", "--labels", "labels.npy", "--max-flips", "5%"]
    assert run(["quantize", *arguments, "--json", "r.json"]) == 0
    output = capsys.readouterr().out
    assert "s.onnx is written" in output
    assert "224 rows calibrate and 673 others judge" in output
    report = json.loads(Path("r.json").read_text())
    assert [result["form"] for result in report["results"]][:2] == ["original", "float16"]
    assert Path("s.onnx").stat().st_size == next(r["bytes"] for r in report["results"] if r["output"])
    for format, words in (("table", "s.onnx is written"), ("markdown", "| int8 |"), ("json", '"quantize"')):
        assert run(["show", "r.json", "--format", format]) == 0
        assert words in capsys.readouterr().out
    assert run(["show", "r.json", "--format", "html", "-o", "r.html"]) == 0
    assert "Quantisation" in Path("r.html").read_text()
    assert run(["validate", "n.onnx", "s.onnx", "--rows", "100", "--probes", "off", "-d", "rows.npz"]) in (0, 4)


def test_a_broken_limit_keeps_the_file_of_before(capsys: pytest.CaptureFixture[str]) -> None:
    Path("s.onnx").write_bytes(b"as it was")
    assert run(["quantize", "n.onnx", "-o", "s.onnx", "-d", "rows.npz", "--max-delta", "1e-9"]) == 4
    assert Path("s.onnx").read_bytes() == b"as it was"
    output = capsys.readouterr()
    assert "different: every form breaks a limit" in output.err
    assert "no file is written" in output.out
    assert "limit 1e-09" in output.out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["n.onnx"], 2, "--data"),
        (["n.onnx", "-d", "rows.npz", "--max-drop", "f1=1%"], 2, "accuracy=0.5%"),
        (["n.onnx", "-d", "rows.npz", "--max-drop", "accuracy=1%"], 2, "--labels"),
        (["n.onnx", "-d", "rows.npz", "--max-flips", "1"], 2, "1%"),
        (["n.onnx", "-d", "rows.npz", "--max-delta", "nan"], 2, "no limit"),
        (["n.onnx", "-d", "rows.npz", "--batch", "0"], 2, "batch"),
        (["n.onnx", "-d", "rows.npz", "-o", "n.onnx"], 6, "the model itself"),
        (["n.onnx", "-d", "rows.npz", "-o", "-"], 2, "stdout"),
        (["n.onnx", "-d", "labels.npy"], 6, "x float32 (any, 64)"),
        (["n.onnx", "-d", "nowhere.npz"], 6, "no such data file"),
        (["nowhere.onnx", "-d", "rows.npz"], 6, "nowhere.onnx"),
        (["rows.npz", "-d", "rows.npz"], 6, "rows.npz"),
        (["n.onnx", "-d", "rows.npz", "--labels", "rows.npz"], 6, "labels"),
        (["n.onnx", "-d", "rows.npz", "-f", "junit"], 2, "junit"),
        (["n.onnx", "-d", "rows.npz", "--json", "n.onnx"], 2, "--json would overwrite n.onnx"),
        (["n.onnx", "-d", "rows.npz", "--html", "s.onnx", "-o", "s.onnx"], 2, "would overwrite"),
    ],
)
def test_what_cannot_be_is_one_line(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["quantize", *arguments]) == code
    output = capsys.readouterr()
    assert words in output.err
    assert "Traceback" not in output.err
    assert not output.out
    assert not Path("n.small.onnx").exists()
