"""How wide and how colourful a terminal is."""

import io
import os
import sys

import pytest

from infer_bench.cli.terminal import find_width, read_terminal


class Terminal(io.StringIO):
    """A stream of a terminal, whose number is made up."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.number


@pytest.fixture(autouse=True)
def widths(monkeypatch: pytest.MonkeyPatch) -> None:
    """Terminals as wide as their numbers say; other streams have no width."""

    def size(number: int) -> os.terminal_size:
        if number < 20:
            raise OSError(25, "no terminal")
        return os.terminal_size((number, 24))

    monkeypatch.setattr(os, "get_terminal_size", size)
    for name in ("COLUMNS", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name in ("stdout", "stderr", "stdin"):
        monkeypatch.setattr(sys, name, io.StringIO())


@pytest.mark.parametrize(
    ("variables", "color"), [({}, True), ({"TERM": "dumb"}, False), ({"NO_COLOR": "1"}, False), ({"TERM": ""}, True)]
)
def test_a_dumb_terminal_gets_no_colour(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], color: bool
) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal(90))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert read_terminal() == (90, color)


def test_a_pipe_has_no_width_and_no_colour() -> None:
    assert read_terminal() == (None, False)


def test_the_width_of_what_is_piped_is_that_of_the_terminal_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_width() == 80
    monkeypatch.setattr(sys, "stderr", Terminal(140))
    assert find_width() == 140
    assert find_width(Terminal(50)) == 50
    monkeypatch.setenv("COLUMNS", "66")
    assert find_width() == 66
