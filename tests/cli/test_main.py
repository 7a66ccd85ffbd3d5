"""Every way that a command can end has its exit code, and none shows a traceback."""

import errno
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from infer_bench.cli.main import run
from infer_bench.installed import CORE

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "sample_models/credit.txt"


def run_raising(error: BaseException, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    def command(**_: object) -> None:
        raise error

    code = run([], command)
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a.json"), "No space left on device (a.json)"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
        (PermissionError(), "PermissionError"),
        (MemoryError(), "out of memory"),
        (MemoryError("Unable to allocate 9 TiB"), "out of memory: Unable to allocate 9 TiB"),
    ],
)
def test_a_machine_that_stands_in_the_way_is_no_bug(
    error: Exception, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, errors = run_raising(error, capsys)
    assert code == 6
    assert errors.startswith("error: ")
    assert errors.endswith(f"{words}\n")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), AttributeError("x"), RecursionError()])
def test_a_bug_is_called_one(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    code, errors = run_raising(error, capsys)
    assert code == 70
    assert "a bug in infer-bench" in errors


@pytest.mark.parametrize("name", CORE)
@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise ModuleNotFoundError(\"No module named '{0}'\", name='{0}')", "{0} is not installed: pip install {0}"),
        ("raise ImportError('a shared object\\n\\nis missing')", "{0} is broken: pip install --force-reinstall {0}"),
        ("raise RuntimeError('built for another interpreter')", "{0} is broken: pip install --force-reinstall {0}"),
    ],
)
def test_a_library_that_is_needed_and_missing_or_broken_is_one_line(
    name: str, code: str, words: str, tmp_path: Path
) -> None:
    assert said_with(tmp_path, name, code.format(name)).startswith(f"error: {words.format(name)}")


def test_one_that_holds_nothing_is_one_line_too(tmp_path: Path) -> None:
    assert said_with(tmp_path, "typer", "").startswith("error: typer is broken: pip install --force-reinstall typer")
    core = (
        "import sys, types\nsys.modules['typer.core'] = types.SimpleNamespace(TyperCommand=object, TyperGroup=object)"
    )
    assert said_with(tmp_path, "typer", core).startswith("error: infer-bench cannot be imported: pip install")


def said_with(folder: Path, name: str, code: str) -> str:
    """The one line of a bench that finds this code as the library; the `--` has Typer read the command line."""
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    process = subprocess.run(
        [sys.executable, "-m", "infer_bench", "bench", "--json", str(folder / "report.json"), "--", str(MODEL)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert process.returncode == 6, process.stderr
    (line,) = process.stderr.splitlines()
    return line


def test_every_library_that_is_needed_is_known() -> None:
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert {re.split("[^a-z]", text)[0] for text in dependencies} == set(CORE)
