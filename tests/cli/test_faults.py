"""Broken, hostile and wrong files on each command that opens a model: one line, the right code, nothing left behind."""

import os
import pickle
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.cli.main import run
from tests.cli.terminal import read_all
from tests.forking import ForkedPopen

SAMPLES = Path(__file__).parents[2] / "sample_models"
CREDIT = SAMPLES / "credit.txt"
DIGITS, DIGIT_ROWS = SAMPLES / "digits.txt", SAMPLES / "digits.parquet"
ONNX, ONNX_ROWS = SAMPLES / "tumour_zipmap.onnx", SAMPLES / "tumour.parquet"


class Hostile:
    """Touches a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.marker}",)


def hostile_estimator(marker: Path) -> Any:
    """A fitted model that carries something else along."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    model.extra = Hostile(marker)
    return model


def broken(folder: Path, kind: str) -> Path:
    """A model file that must not be believed."""
    text = DIGITS.read_text()
    content: dict[str, bytes] = {
        "empty": b"",
        "truncated": text[: len(text) // 2].encode(),
        "tree deleted": (text[: text.index("Tree=3\n")] + text[text.index("Tree=4\n") :]).encode(),
        "bad child": text.replace("left_child=", "left_child=99999 ", 1).encode(),
        "csv": b"a,b\n1,2\n",
        "random": np.random.default_rng(0).bytes(5000),
        "truncated onnx": ONNX.read_bytes()[:1000],
        "hostile pickle": pickle.dumps(hostile_estimator(folder / "marker")),
        "not a model": pickle.dumps([1, 2, 3]),
    }
    path = folder / "model.bin"
    path.write_bytes(content[kind])
    return path


KINDS = (
    "empty",
    "truncated",
    "tree deleted",
    "bad child",
    "csv",
    "random",
    "truncated onnx",
    "hostile pickle",
    "not a model",
)


@pytest.mark.parametrize("command", ["bench", "convert"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_no_whole_model_ends_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], kind: str, command: str
) -> None:
    path = broken(tmp_path, kind)
    assert run([command, str(path), *(["-o", str(tmp_path / "out.onnx")] if command == "convert" else [])]) == 6
    output = capfd.readouterr()
    assert output.out == ""
    assert output.err.startswith("error: ")
    assert output.err.count("\n") <= 2
    assert "Traceback" not in output.err
    assert [p.name for p in tmp_path.iterdir()] == ["model.bin"]


def test_the_refusal_of_a_pickle_names_the_global(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", str(broken(tmp_path, "hostile pickle"))]) == 6
    output = capfd.readouterr().err
    assert "system" in output
    assert "--allow-pickle" in output


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty"),
        ("a,b\n1,2\n", "pixel"),
        (None, "no such"),
    ],
)
def test_data_that_does_not_fit_ends_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], content: str | None, words: str
) -> None:
    path = tmp_path / "rows.csv"
    if content is not None:
        path.write_text(content)
    assert run(["bench", str(DIGITS), "--data", str(path)]) == 6
    output = capfd.readouterr().err
    assert words in output.lower()
    assert "Traceback" not in output


def test_zero_rows_are_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(DIGIT_ROWS).slice(0, 0)
    pyarrow.parquet.write_table(table, tmp_path / "none.parquet")
    assert run(["bench", str(DIGITS), "--data", str(tmp_path / "none.parquet")]) == 6
    assert "no rows" in capfd.readouterr().err


def test_a_text_column_where_a_number_is_due_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(DIGIT_ROWS).slice(0, 10)
    name = table.column_names[0]
    wrong = table.set_column(0, name, [["text"] * 10])
    pyarrow.parquet.write_table(wrong, tmp_path / "text.parquet")
    assert run(["bench", str(DIGITS), "--data", str(tmp_path / "text.parquet")]) == 6
    assert name in capfd.readouterr().err


def test_nan_rows_are_answered_and_compared(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    import pandas

    rows = pandas.read_parquet(DIGIT_ROWS).head(20).astype("float64")
    rows.iloc[:, :] = np.nan
    rows.to_parquet(tmp_path / "nan.parquet")
    candidates = ["-e", "lightgbm:feed=ndarray", "-e", "lightgbm:feed=dataframe"]
    assert run(["bench", str(DIGITS), "--data", str(tmp_path / "nan.parquet"), *candidates, "--rounds", "3"]) == 0
    assert "0.0e+00" in capfd.readouterr().out


def terminal(columns: int, **environment: str) -> str:
    """What `bench` prints on a terminal of that width."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "infer_bench", "bench", str(ONNX), "--data", str(ONNX_ROWS), "--rounds", "3"]
    import fcntl
    import struct
    import termios

    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = ForkedPopen(
        command, stdout=theirs, stderr=subprocess.DEVNULL, env={**os.environ, "TERM": "xterm", **environment}
    )
    os.close(theirs)
    screen = read_all(ours)
    assert process.wait() == 0
    return screen.decode()


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["bench", "m.onnx", "-d", "d.parquet", "--json", "d.parquet"], "--json"),
        (["bench", "m.onnx", "--against", "old.onnx", "-o", "old.onnx"], "--output"),
        (["bench", "m.onnx", "--save-baseline", "./m.onnx"], "--save-baseline"),
        (["bench", "m.onnx", "--json", "out.json", "-o", "out.json"], "--output"),
        (["validate", "m.onnx", "old.onnx", "--json", "old.onnx"], "--json"),
        (["profile", "m.onnx", "-d", "d.parquet", "-o", "m.onnx"], "--output"),
        (["show", "d.parquet", "-o", "d.parquet"], "--output"),
    ],
)
def test_no_output_takes_the_place_of_what_is_read(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    option: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("m.onnx", "old.onnx"):
        Path(name).write_bytes(ONNX.read_bytes())
    Path("d.parquet").write_bytes(ONNX_ROWS.read_bytes())
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert run(arguments) == 2
    assert f"error: {option} would overwrite" in capfd.readouterr().err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_terminal_of_forty_columns_loses_nothing_and_no_color_means_none() -> None:
    screen = terminal(40, NO_COLOR="1")
    assert "\x1b" not in screen
    assert all(len(line) <= 40 for line in screen.splitlines())
    for title in ("p50", "p95", "p99", "rows/s", "memory", "file"):
        assert title in screen
