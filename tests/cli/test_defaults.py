"""Options that a project keeps in its `pyproject.toml`."""

from pathlib import Path
from typing import Any

import pytest
import typer

from infer_bench.cli.app import build_app
from infer_bench.cli.defaults import read_defaults
from infer_bench.cli.main import run
from infer_bench.project import COMMANDS, OPTIONS

TREE: Any = typer.main.get_command(build_app())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    inner = tmp_path / "models"
    inner.mkdir()
    monkeypatch.chdir(inner)
    return tmp_path


def defaults(folder: Path, text: str, command: str = "bench", *arguments: str) -> dict[str, Any]:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    of = TREE.commands[command]
    return read_defaults(command, of.params, of.callback, arguments)


def test_a_command_s_own_table_comes_before_what_holds_for_all(folder: Path) -> None:
    text = """
[tool.infer-bench]
threads = 2
data = "rows.parquet"
slo = "p99<5ms"
[tool.infer-bench.bench]
threads = [1, 2]
engine = ["lightgbm", "onnxruntime"]
batch = "1,64"
phases = true
timeout = 7
"""
    assert defaults(folder, text) == {
        "threads": "1,2",
        "data": str(folder / "rows.parquet"),
        "slo": "p99<5ms",
        "engine": ["lightgbm", "onnxruntime"],
        "batch": "1,64",
        "phases": True,
        "timeout": 7.0,
    }
    assert defaults(folder, text, "load") == {
        "threads": 2,
        "data": str(folder / "rows.parquet"),
        "slo": ["p99<5ms"],
    }
    assert defaults(folder, text, "engines") == {}


@pytest.mark.parametrize("sweep", ["[1, 2]", '"1,2"'])
def test_a_gate_is_left_without_a_sweep_of_threads(folder: Path, sweep: str) -> None:
    text = f"[tool.infer-bench.bench]\nthreads = {sweep}\n"
    assert defaults(folder, text) == {"threads": "1,2"}
    assert defaults(folder, text, "bench", "--limit", "p50<1ms") == {}
    assert defaults(folder, "[tool.infer-bench]\nthreads = 2\n", "bench", "--against=old.onnx") == {"threads": "2"}


def test_what_only_a_self_test_takes_is_left_out_of_other_runs(folder: Path) -> None:
    text = "[tool.infer-bench.bench]\ntrials = 90\n"
    assert defaults(folder, text) == {}
    assert defaults(folder, text, "bench", "--self-test") == {"trials": 90}


def test_what_only_a_plain_run_takes_is_left_out_of_a_gate(folder: Path) -> None:
    text = "[tool.infer-bench.bench]\nrounds = 90\nseed = 3\n"
    assert defaults(folder, text) == {"rounds": 90, "seed": 3}
    assert defaults(folder, text, "bench", "--against=old.onnx") == {"seed": 3}
    assert defaults(folder, f"[tool.infer-bench]\nlimits = []\n{text}") == {"seed": 3}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[tool.infer-bench.bench]\nround = 9\n", "[tool.infer-bench.bench] has no key 'round'"),
        ("[tool.infer-bench.bench]\nallow-pickle = true\n", "has no key 'allow-pickle'"),
        ("[tool.infer-bench.bench]\njson = 'r.json'\n", "has no key 'json'"),
        ("[tool.infer-bench.bench]\nrounds = 'many'\n", "rounds is no whole number: 'many'"),
        ("[tool.infer-bench.bench]\ntimeout = true\n", "timeout is no number: True"),
        ("[tool.infer-bench.bench]\nphases = 1\n", "phases is no true or false: 1"),
        ("[tool.infer-bench.bench]\nengine = [1.5, []]\n", "engine is no text: []"),
        ("[tool.infer-bench]\nbench = 5\n", "tool.infer-bench.bench is no table"),
        ("[tool.infer-bench]\nthread = 5\n", "has no key 'thread'"),
        ("[tool.infer-bench]\nslo = {p99 = 5}\n", "slo is no text"),
    ],
)
def test_a_wrong_key_or_type_is_one_line(
    folder: Path, text: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    assert run(["bench", "model.txt"]) == 2
    error, *hint = capsys.readouterr().err.splitlines()
    assert says in error
    assert len(hint) == 1
    assert run(["bench", "--help"]) == 0


def test_the_command_line_wins(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "pyproject.toml").write_text("[tool.infer-bench.bench]\nbatch = 'x'\n", encoding="utf-8")
    assert run(["bench", "model.txt"]) == 2
    assert "batch: 'x' is not a list of numbers" in capsys.readouterr().err
    assert run(["bench", "model.txt", "--batch", "1"]) == 6
    assert "model.txt" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "arguments", "names"),
    [
        ("[tool.infer-bench]\nbudget = '9s'", ["--rounds", "5"], []),
        ("[tool.infer-bench]\nbudget = '9s'", ["--rounds=5"], []),
        ("[tool.infer-bench]\nbudget = '9s'\nseed = 1\n[tool.infer-bench.bench]\nrounds = 9", [], ["rounds", "seed"]),
        ("[tool.infer-bench.bench]\nrounds = 9\nprocesses = 2", ["--budget", "9s"], ["processes"]),
        ("[tool.infer-bench.bench]\nrounds = 9\nprocesses = 2", ["--quick"], []),
        ("[tool.infer-bench.bench]\nquick = true", ["--processes", "2"], []),
        ("[tool.infer-bench]\ndata = 'rows.csv'", ["--dim", "batch=2"], []),
        ("[tool.infer-bench]\ndata = 'rows.csv'", ["-b", "2"], ["data"]),
    ],
)
def test_what_does_not_go_with_the_command_line_yields_to_it(
    folder: Path, text: str, arguments: list[str], names: list[str]
) -> None:
    assert sorted(defaults(folder, text, "bench", "model.txt", *arguments)) == names


@pytest.mark.parametrize("words", [[], ["--batch", "1"], ["-b1"]])
def test_a_hint_says_that_the_project_gave_an_option(
    folder: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    text = "[tool.infer-bench]\nbudget = 'soon'\n[tool.infer-bench.bench]\nbatch = 1\n"
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    assert run(["bench", "model.txt", *words]) == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error == "error: 'soon' is no time"
    assert hint.endswith(f"; {folder / 'pyproject.toml'} gives budget" + ", batch" * (not words))


def test_every_name_is_an_option_and_every_table_a_command() -> None:
    assert set(COMMANDS) <= set(TREE.commands)
    names = {name for c in COMMANDS for p in TREE.commands[c].params for name in p.opts}
    assert {f"--{name}" for name in OPTIONS} <= names
