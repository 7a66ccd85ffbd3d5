"""What is misspelt is said in the same words with Typer and without, and nothing is said of what is not."""

import pytest

from infer_bench.cli.app import build_app
from infer_bench.cli.main import run
from infer_bench.cli.usage import find_misspelling

MISSPELT = [
    *(["benhc"], ["xyz", "--help"], ["benhc", "--rounds", "1"]),
    *(["bench", "--xyzzy"], ["bench", "--thread", "1"], ["convert", "a", "b", "--zip-map"], ["bench", "--rouns=5"]),
    *(["bench", "--data", "--forms", "--from"], ["bench", "-e", "--help", "--xyzzy"], ["serve", "--prot", "80", "x"]),
]
FOR_TYPER = [
    *([], ["--version"], ["--nosuch"], ["bench", "--forms"], ["bench", "-z", "--xyzzy"], ["bench", "--", "--xyzzy"]),
    *(["bench", "--budget"], ["bench", "--data", "--xyzzy"], ["bench", "--forms=1", "--xyzzy"], ["bench", "-e", "-x"]),
    *(["bench", "-", "-elightgbm", "--limit=p99<5ms"], ["bench", "--help"], ["validate", "a", "b", "--atol", "-1"]),
]


@pytest.mark.parametrize("arguments", MISSPELT, ids=" ".join)
def test_typer_would_say_the_same(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert find_misspelling(arguments) is not None
    assert run(arguments) == 2
    error = capsys.readouterr().err
    assert run(arguments, build_app()) == 2
    assert capsys.readouterr().err == error


@pytest.mark.parametrize("arguments", FOR_TYPER, ids=" ".join)
def test_anything_else_is_for_typer_to_judge(arguments: list[str]) -> None:
    assert find_misspelling(arguments) is None
