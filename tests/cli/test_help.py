"""Help: every option stands in a group, it is as wide as the terminal, and it starts without Rich."""

import re
import subprocess
import sys
from typing import Any

import pytest
import typer

from infer_bench.cli.app import build_app
from infer_bench.cli.entries import ENTRIES, load_command
from infer_bench.cli.help import OPTIONS, list_parameters, list_records
from infer_bench.cli.main import run
from infer_bench.cli.options.groups import GENERAL, GROUPS

TREE: Any = typer.main.get_command(build_app())
COMMANDS = sorted(TREE.commands)


def typer_records(name: str) -> set[tuple[str, str]]:
    """What Typer would say of the options and arguments of a command, or of the tree."""
    command = TREE.commands[name] if name else TREE
    context = typer.Context(command, help_option_names=["-h", "--help"])
    return {parameter.get_help_record(context) for parameter in command.get_params(context)}


def help_of(name: str, columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert run([*name.split(), "--help"]) == 0
    return capsys.readouterr().out.splitlines()


def sections(lines: list[str]) -> dict[str, list[str]]:
    """The lines of help below each heading."""
    by_heading: dict[str, list[str]] = {}
    for line in lines:
        if line.endswith(":") and not line.startswith(" "):
            by_heading[line[:-1]] = []
        elif by_heading:
            by_heading[list(by_heading)[-1]].append(line)
    return by_heading


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_what_typer_reads(name: str) -> None:
    groups = list_records(list_parameters(load_command(name)))
    assert list(groups) == list(GROUPS)
    assert groups[GENERAL] == [OPTIONS[-1]]
    records = {record for group in groups.values() for record in group}
    assert len(records) == sum(map(len, groups.values()))
    of_typer = {(re.sub(" <[^>]*>$", "", first), text) for first, text in typer_records(name)}
    assert records == of_typer


def test_the_tree_s_own_options_are_what_typer_reads() -> None:
    assert set(OPTIONS) == typer_records("")


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_each_option_below_its_group_and_fits(
    name: str, columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = help_of(name, columns, monkeypatch, capsys)
    help_sections = sections(lines)
    for group, records in list_records(list_parameters(load_command(name))).items():
        for option, _ in records:
            assert any(line.strip().startswith(option) for line in help_sections[group]), option
    assert [heading for heading in GROUPS if heading in help_sections] == list(help_sections)
    assert max(map(len, lines)) <= columns


@pytest.mark.parametrize("name", COMMANDS)
def test_a_group_fits_on_a_screen(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    longest = max(sections(help_of(name, 80, monkeypatch, capsys)).values(), key=len)
    assert len(longest) < 24


def test_wide_help_uses_the_width(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    wide, narrow = (help_of("bench", columns, monkeypatch, capsys) for columns in (160, 80))
    assert max(map(len, wide)) > 80
    assert len(wide) < len(narrow)


def test_the_tree_shows_its_options_and_then_the_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    help_sections = sections(help_of("", 80, monkeypatch, capsys))
    assert list(help_sections) == [GENERAL, "Commands"]
    assert sorted(line.split()[0] for line in help_sections["Commands"]) == COMMANDS


@pytest.mark.parametrize("arguments", [["--help"], ["bench", "--help"]])
def test_help_starts_without_rich_and_typer(arguments: list[str]) -> None:
    code = "import sys; from infer_bench.cli.main import run; run(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    process = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert "Usage: " in process.stdout
    modules = {name.partition(".")[0] for name in process.stderr.split()}
    assert modules & {"rich", "typer", "numpy", "msgspec", "inspect", "pathlib"} == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_each_says_itself(name: str) -> None:
    assert (load_command(name).__doc__ or "").splitlines()[0] == ENTRIES[name].summary


def test_a_help_builds_no_more_than_it_shows() -> None:
    code = (
        "import sys; from infer_bench.cli.main import run; run(sys.argv[1:]); "
        "print(*(name for name in sys.modules if name == 'pydantic' or name.startswith('infer_bench.cli.commands.')))"
    )
    for arguments, modules in ((["--help"], []), (["merge", "--help"], ["infer_bench.cli.commands.merge"])):
        process = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
        assert process.stdout.splitlines()[-1].split() == modules
