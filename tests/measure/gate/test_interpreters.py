"""The interpreters that `--against-python` names: those that can work are found, the others said."""

from dataclasses import replace
from pathlib import Path

import pytest

from infer_bench.errors import CannotRun
from infer_bench.measure.gate import interpreters
from infer_bench.measure.gate.interpreters import check_interpreter, find_folder
from infer_bench.model import ModelRef
from tests.measure.fake_layouts import candidate


def script(folder: Path, text: str, name: str = "python") -> str:
    """A program that answers in place of an interpreter."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo Python 3 10", "is Python 3.10"),
        ("echo Python 2 7; exit 1", "is Python 2.7"),
        ("echo Python 3 13; echo 'ModuleNotFoundError: No module named numpy' >&2; exit 1", "cannot import numpy"),
        ('echo "$@"', "is no Python interpreter"),
        ("exit 0", "says nothing"),
        ("exit 3", "says nothing"),
        ("echo 'no such option' >&2; exit 2", "no such option"),
        ("printf '\\377\\376'", "is no Python interpreter"),
        ("kill -9 $$", "is no Python interpreter"),
    ],
)
def test_what_is_no_interpreter_that_can_work_is_said(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(CannotRun) as error:
        check_interpreter(script(tmp_path, text))
    assert words in str(error.value)


def test_an_interpreter_that_is_not_there_or_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    for path, words in (("nothing", "No such file"), ("text", "Permission denied"), (".", "cannot be started")):
        with pytest.raises(CannotRun) as error:
            check_interpreter(str(tmp_path / path))
        assert words in str(error.value)


def test_an_interpreter_that_says_more_than_it_is_asked(tmp_path: Path) -> None:
    path = script(tmp_path, "echo activating; echo Python 3 12")
    assert check_interpreter(path) == path


def test_an_interpreter_that_never_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "START_S", 0.05)
    with pytest.raises(CannotRun, match="does not answer within"):
        check_interpreter(script(tmp_path, "exec sleep 60"))


def test_a_virtual_environments_folder_stands_for_its_interpreter(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    path = script(tmp_path / "bin", "echo Python 3 12")
    assert check_interpreter(str(tmp_path)) == path


def test_a_function_runs_in_the_checkout_that_holds_the_environment(tmp_path: Path) -> None:
    for name in ("main", "branch"):
        (tmp_path / name / ".venv" / "bin").mkdir(parents=True)
        (tmp_path / name / ".venv" / "pyvenv.cfg").touch()
        (tmp_path / name / "service.py").touch()
    function = replace(candidate("callable"), model=ModelRef("service:predict", "callable", "python", "", 0))
    for name in ("main", "branch"):
        python = str(tmp_path / name / ".venv" / "bin" / "python")
        assert find_folder(python, function) == str(tmp_path / name)
    elsewhere = tmp_path / "env"
    elsewhere.mkdir()
    (elsewhere / "pyvenv.cfg").touch()
    assert find_folder(str(elsewhere / "bin" / "python"), function) == str(elsewhere)
    assert find_folder("/usr/bin/python3", function) == "/usr/bin"
    assert find_folder("/usr/bin/python3", candidate("fake")) == ""
