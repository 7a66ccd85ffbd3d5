"""A plain command line is read without Typer, and as Typer reads it."""

import subprocess
import sys
from collections.abc import Iterator
from functools import wraps
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer import Typer
from typer.exceptions import TyperException

from infer_bench.cli import app
from infer_bench.cli.entries import ENTRIES, load_command
from infer_bench.cli.help import Parameter, list_parameters
from infer_bench.cli.plain import COMPLETION, find_plain_command, read_values

VALUES = ("x", "3", "007", "2.5", "1e-6", "1e400", "", "-", "-1", "--", "a=b", "1_0", " 1", "٣", "\udcff", "-h")
Typers = dict[str, Typer]


@pytest.fixture(scope="module")
def typers() -> Iterator[Typers]:
    """The commands as Typer reads them, each of which returns what it is called with."""

    def load(name: str) -> Any:
        @wraps(load_command(name))
        def command(**values: Any) -> dict[str, Any]:
            return values

        return command

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "load_command", load)
        patch.setattr("infer_bench.cli.defaults.find_project", lambda: None)
        yield {name: app.build_app([name]) for name in ENTRIES}


def read(name: str, words: list[str]) -> dict[str, Any] | None:
    """The value of every parameter; None where the line is not plain."""
    parameters = list_parameters(load_command(name))
    values = read_values(words, parameters)
    return None if values is None else {p.name: p.default for p in parameters if not p.is_required} | values


def read_with(typer: Typer, name: str, words: list[str]) -> Any:
    try:
        return typer(args=[name, *words], prog_name="infer-bench", standalone_mode=False)
    except TyperException as error:
        return error


def list_words(parameter: Parameter) -> list[str]:
    """A value for a parameter, behind its name where it has one; twice for a list."""
    value = "3" if parameter.kind in (int, int | None) else "0.5" if parameter.kind in (float, float | None) else "x"
    values = [] if parameter.kind is bool else [value]
    return [word for name in parameter.declaration.names[:1] or ("",) for word in (name, *values) if word] * (
        1 + parameter.is_list
    )


@pytest.mark.parametrize("name", ENTRIES)
def test_every_option_is_read_as_typer_reads_it(name: str, typers: Typers) -> None:
    parameters = list_parameters(load_command(name))
    arguments = [word for p in parameters if not p.declaration.names for word in list_words(p)]
    options = [word for p in parameters if p.declaration.names for word in list_words(p)]
    joined_words = [
        f"{long}={list_words(p)[-1]}"
        for p in parameters
        if p.kind is not bool
        for long in p.declaration.names
        if long.startswith("--")
    ]

    for words in ([], arguments, [*options, *arguments], [*arguments, *joined_words]):
        values, typer_values = read(name, words), read_with(typers[name], name, words)
        if values is None:
            assert isinstance(typer_values, TyperException)
        else:
            assert values == typer_values
            assert [type(values[key]) for key in values] == [type(typer_values[key]) for key in values]
    assert read(name, [*options, *arguments]) is not None


@given(st.data())
def test_what_is_read_without_typer_is_what_typer_reads(typers: Typers, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([name for name in ENTRIES if list_parameters(load_command(name))]))
    names = [word for p in list_parameters(load_command(name)) for word in p.declaration.names]
    word = st.one_of(st.sampled_from(names), st.sampled_from(VALUES), st.sampled_from([f"{n}=3" for n in names]))
    words = data.draw(st.lists(word, max_size=6))

    values = read(name, words)

    if values is not None:
        assert values == read_with(typers[name], name, words)


@pytest.mark.parametrize(
    "words",
    [
        ["bench", "-dx"],
        ["bench", "--dat", "x"],
        ["bench", "m", "--threads", "-1"],
        ["bench", "m", "--rounds", "two"],
        ["bench", "--", "m"],
        ["bench", "m", "--phases=yes"],
        ["bench", "m", "--data"],
        ["convert", "m", "n"],
        ["show"],
        ["nope"],
        [],
    ],
)
def test_what_is_not_plain_is_left_to_typer(words: list[str]) -> None:
    assert find_plain_command(words) is None


def test_a_shell_that_asks_for_completions_gets_them_from_typer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_plain_command(["engines"]) is not None
    monkeypatch.setenv(COMPLETION, "complete_bash")
    assert find_plain_command(["engines"]) is None


def test_a_plain_command_imports_neither_typer_nor_pydantic() -> None:
    code = (
        "import sys; from infer_bench.cli.main import run; code = run(['bench', 'none.txt', '--threads', '1'])\n"
        "assert code == 6, code; assert run(['engines']) == 0\n"
        "assert not {'typer', 'pydantic', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
