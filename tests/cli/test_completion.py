"""What a shell offers: engines and their options, formats, scenarios and files that may be models."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infer_bench.cli.completion import complete_candidate, complete_model

START = "import sys; sys.argv[0] = 'infer-bench'; from infer_bench.__main__ import main; main()"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "models").mkdir()
    for name in ("credit.txt", "credit.parquet", "models/a.onnx", "models/b.ONNX", "models/notes.md", ".hidden.onnx"):
        (tmp_path / name).write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("incomplete", "offered"),
    [
        ("", ["credit.txt", "models/", "models/a.onnx", "models/b.ONNX"]),
        ("mo", ["models/", "models/a.onnx", "models/b.ONNX"]),
        ("models/a", ["models/a.onnx"]),
        ("./c", ["./credit.txt"]),
        (".h", [".hidden.onnx"]),
        ("missing/x", []),
    ],
)
def test_files_of_models_are_offered(folder: Path, incomplete: str, offered: list[str]) -> None:
    assert complete_model(incomplete) == offered


def test_an_absolute_path_is_completed(folder: Path) -> None:
    assert complete_model(f"{folder}/cr") == [f"{folder}/credit.txt"]


@pytest.mark.parametrize(
    ("incomplete", "offered"),
    [
        ("light", ["lightgbm"]),
        ("lightgbm:fe", ["lightgbm:feed="]),
        ("lightgbm:feed=n", ["lightgbm:feed=ndarray"]),
        ("lightgbm:feed=ndarray,fill=z", ["lightgbm:feed=ndarray,fill=zero"]),
        ("nobody:", []),
        ("lightgbm:threads=", []),
    ],
)
def test_engines_and_their_options_are_offered(incomplete: str, offered: list[str]) -> None:
    assert complete_candidate(incomplete) == offered


@pytest.mark.parametrize(
    ("words", "offered", "others"),
    [
        ("bench m.txt -f ju", {"junit"}, set()),
        ("validate a b -f ", {"table", "csv"}, {"junit", "pyperf"}),
        ("bench --scenario ", {"single_stream", "offline"}, set()),
        ("show r.json -f pyp", {"pyperf"}, set()),
        ("convert m.txt -f ", {"html"}, {"csv"}),
        ("profile m.txt -f sp", {"speedscope"}, set()),
        ("bench m.txt -e skl", {"sklearn"}, set()),
    ],
)
def test_a_shell_is_told(words: str, offered: set[str], others: set[str]) -> None:
    command = f"infer-bench {words}"
    place = str(len(command.split()) - (not command.endswith(" ")))
    variables = {"COMP_WORDS": command, "COMP_CWORD": place, "_INFER_BENCH_COMPLETE": "complete_bash"}
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.argv[0] = 'infer-bench'; from infer_bench.__main__ import main; main()",
        ],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = set(run.stdout.split())
    assert offered <= lines, run.stderr
    assert not others & lines
