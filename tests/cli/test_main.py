"""Every way that a command can end has its exit code, and none shows a traceback."""

import errno

import pytest

from infer_bench.cli.main import run


def ended(error: BaseException, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
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
    code, said = ended(error, capsys)
    assert code == 6
    assert said.startswith("error: ")
    assert said.endswith(f"{words}\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), AttributeError("x"), RecursionError()])
def test_a_bug_is_called_one(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = ended(error, capsys)
    assert code == 70
    assert "a bug in infer-bench" in said
