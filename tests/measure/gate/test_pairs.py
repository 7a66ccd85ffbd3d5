"""Whom `--against` and `--against-python` name."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from infer_bench.engines import registry
from infer_bench.errors import CannotRun, ModelError, UsageError
from infer_bench.measure.candidates.models import model_ref
from infer_bench.measure.gate import pairs as opponents
from infer_bench.measure.gate.pairs import home_of, interpreter, matches
from infer_bench.measure.schedule.scheduler import Pair
from infer_bench.model import ModelRef
from tests.measure.seated import candidate

ONNX, TEXT = ModelRef("new.onnx", "onnx", "onnx", "aa", 9), ModelRef("new.txt", "lightgbm", "lightgbm-text", "bb", 9)
OLD = {"old.onnx": ModelRef("old.onnx", "onnx", "onnx", "cc", 9), "new.onnx": ONNX, "service:old": None}


@pytest.fixture(autouse=True)
def fake_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BUILT_IN", {**registry.BUILT_IN, "fake": "tests.fakes:FakeEngine"})


def opened(name: str) -> ModelRef:
    return OLD.get(name) or model_ref(name)


def found(
    models: Sequence[ModelRef], asked: Sequence[str], against: str | None, python: str | None = None
) -> list[Pair]:
    return matches(models, asked, against, python, model_ref=opened, to_onnx=lambda model: model, threads=1)


def names(match: Pair) -> tuple[str, str, str, str]:
    assert match.baseline is not None
    ours, theirs = match.candidate, match.baseline
    return ours.model.path, ours.label, theirs.model.path, theirs.label


def test_a_model_is_opened_by_the_same_candidate() -> None:
    (usual,) = found([ONNX], [], "old.onnx")
    assert names(usual) == ("new.onnx", "onnxruntime:feed=ndarray", "old.onnx", "onnxruntime:feed=ndarray")
    (asked,) = found([ONNX], ["onnxruntime:threads=2"], "old.onnx")
    assert names(asked) == ("new.onnx", "onnxruntime:threads=2", "old.onnx", "onnxruntime:threads=2")


def test_a_model_of_another_family_is_opened_by_its_own_library() -> None:
    (match,) = found([TEXT], [], "old.onnx")
    assert names(match) == ("new.txt", "lightgbm:feed=ndarray", "old.onnx", "onnxruntime:feed=ndarray")
    (named,) = found([TEXT], ["lightgbm:feed=dataframe"], "old.onnx")
    assert names(named) == ("new.txt", "lightgbm:feed=dataframe", "old.onnx", "onnxruntime:feed=ndarray")


def test_a_candidate_opens_the_same_model() -> None:
    (match,) = found([ONNX], ["onnxruntime:threads=2"], "onnxruntime:threads=1")
    assert names(match) == ("new.onnx", "onnxruntime:threads=2", "new.onnx", "onnxruntime:threads=1")
    bare = found([TEXT], [], "lightgbm")
    assert names(bare[0])[3] == "lightgbm"


def test_a_function_is_another_version_of_the_users_code() -> None:
    function = ModelRef("service:new", "callable", "python", "", 0)
    (match,) = found([function], [], "service:old")
    assert names(match) == ("service:new", "callable", "service:old", "callable")
    (beside,) = found([ONNX], [], "service:old")
    assert names(beside) == ("new.onnx", "onnxruntime:feed=ndarray", "service:old", "callable")


@pytest.mark.parametrize("against", ["new.onnx", "onnxruntime:feed=ndarray"])
def test_nobody_is_compared_with_itself(against: str) -> None:
    with pytest.raises(UsageError, match="compared with itself"):
        found([ONNX], [], against)


def test_of_several_candidates_the_one_that_is_the_baseline_is_left_out() -> None:
    asked = ["onnxruntime:threads=1", "onnxruntime:threads=2", "onnxruntime:threads=2"]
    left = found([ONNX], asked, "onnxruntime:threads=1")
    assert [names(match)[1] for match in left] == ["onnxruntime:threads=2"]


def test_several_models_each_have_their_match() -> None:
    other = ModelRef("other.onnx", "onnx", "onnx", "dd", 9)
    assert [names(match)[::2] for match in found([ONNX, other], [], "old.onnx")] == [
        ("new.onnx", "old.onnx"),
        ("other.onnx", "old.onnx"),
    ]


def test_an_unknown_engine_is_a_model_that_is_not_there() -> None:
    with pytest.raises(ModelError):
        found([ONNX], [], "onnxruntim")
    with pytest.raises(UsageError):
        found([ONNX], [], "onnxruntime:thread=1")


def test_a_file_that_is_called_like_an_engine_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("onnxruntime").write_text("a,b\n1,2\n")
    with pytest.raises(ModelError):
        found([ONNX], ["onnxruntime:threads=2"], "onnxruntime")


def test_without_a_baseline_there_is_none() -> None:
    assert found([ONNX], [], None)[0].baseline is None


def test_another_interpreter_runs_the_same_candidate() -> None:
    (match,) = found([ONNX], [], None, sys.executable)
    assert match.baseline is not None
    assert match.baseline.label == match.candidate.label
    assert match.baseline.interpreter == os.path.abspath(sys.executable)
    assert match.baseline.key != match.candidate.key
    assert not match.candidate.interpreter


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
    with pytest.raises(CannotRun) as refused:
        interpreter(script(tmp_path, text))
    assert words in str(refused.value)


def test_an_interpreter_that_is_not_there_or_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    for path, words in (("nothing", "No such file"), ("text", "Permission denied"), (".", "cannot be started")):
        with pytest.raises(CannotRun) as refused:
            interpreter(str(tmp_path / path))
        assert words in str(refused.value)


def test_an_interpreter_that_says_more_than_it_is_asked(tmp_path: Path) -> None:
    path = script(tmp_path, "echo activating; echo Python 3 12")
    assert interpreter(path) == path


def test_an_interpreter_that_never_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opponents, "START_S", 0.05)
    with pytest.raises(CannotRun, match="does not answer within"):
        interpreter(script(tmp_path, "exec sleep 60"))


def test_a_virtual_environments_folder_stands_for_its_interpreter(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    path = script(tmp_path / "bin", "echo Python 3 12")
    assert interpreter(str(tmp_path)) == path


def test_a_function_runs_in_the_checkout_that_holds_the_environment(tmp_path: Path) -> None:
    for name in ("main", "branch"):
        (tmp_path / name / ".venv" / "bin").mkdir(parents=True)
        (tmp_path / name / ".venv" / "pyvenv.cfg").touch()
        (tmp_path / name / "service.py").touch()
    function = replace(candidate("callable"), model=ModelRef("service:predict", "callable", "python", "", 0))
    for name in ("main", "branch"):
        python = str(tmp_path / name / ".venv" / "bin" / "python")
        assert home_of(python, function) == str(tmp_path / name)
    elsewhere = tmp_path / "env"
    elsewhere.mkdir()
    (elsewhere / "pyvenv.cfg").touch()
    assert home_of(str(elsewhere / "bin" / "python"), function) == str(elsewhere)
    assert home_of("/usr/bin/python3", function) == "/usr/bin"
    assert home_of("/usr/bin/python3", candidate("fake")) == ""
