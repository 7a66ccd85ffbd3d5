"""The shape of the package: small folders, files and functions, and names that say what they name."""

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "infer_bench"
FILES = sorted(PACKAGE.rglob("*.py"))
FOLDERS = sorted(folder for folder in PACKAGE.rglob("*") if folder.is_dir() and list(folder.glob("*.py")))
MOST_FILES, MOST_LINES, MOST_LINES_OF_A_FUNCTION, MOST_LINES_OF_A_COMMAND = 20, 300, 40, 40
PARTICIPLES = re.compile(
    r"_*(found|held|said|made|given|asked|kept|told|read|known|seen|taken|shown|wanted|drawn|left|sent|got|built|met|chosen"
    r"|written|measured|recorded|checked|judged|tried|gathered|named|counted|sorted|merged|parsed|loaded|opened|closed|started"
    r"|stopped|ended|used|needed|planned|planted|raised|returned|passed|failed|moved|changed|begun|done|gone|meant"
    r"|paired|matched|joined|listed|called|placed|numbered|marked|missed|guessed|applied|computed|converted|compared|stored"
    r"|saved|fitted|trained|scaled|padded|encoded|decoded|declared|reached|refused|allowed|accepted|rejected|folded|bounded"
    r"|seated|stated|claimed|shifted|swapped|dropped|added|removed|replaced|lost|cached|hidden|skipped|scanned|grown|spent)_*"
)
MOST_PARTICIPLES = 0.01


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def names(file: Path) -> Iterator[str]:
    """Every name that a file gives: functions, classes, parameters, variables and attributes."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name


def path_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("folder", FOLDERS, ids=path_of)
def test_a_folder_can_be_looked_over(folder: Path) -> None:
    assert len(list(folder.glob("*.py"))) <= MOST_FILES


@pytest.mark.parametrize("folder", FOLDERS, ids=path_of)
def test_no_prefix_does_the_work_of_a_folder(folder: Path) -> None:
    prefixes = [file.stem.partition("_")[0] for file in folder.glob("*_*.py") if not file.stem.startswith("_")]
    assert not {prefix for prefix in prefixes if prefixes.count(prefix) > 2}


def test_files_and_functions_are_short() -> None:
    long_files = {path_of(f): n for f in FILES if (n := len(f.read_text(encoding="utf-8").splitlines())) > MOST_LINES}
    long_functions = {
        f"{path_of(f)}:{function.name}": length(function)
        for f in FILES
        for function in functions(f)
        if length(function) > MOST_LINES_OF_A_FUNCTION and f.parent.name != "commands"
    }
    assert not long_files
    assert not long_functions


def test_the_body_of_a_command_is_short() -> None:
    def lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
        return (function.end_lineno or 0) - function.body[0].lineno + 1

    commands = [(f, function) for f in (PACKAGE / "cli" / "commands").glob("*.py") for function in functions(f)]
    assert len(commands) > 6
    assert not {function.name: lines(function) for _, function in commands if lines(function) > MOST_LINES_OF_A_COMMAND}


@pytest.mark.parametrize("folder", ["infer_bench", "tests"])
def test_names_say_what_they_name(folder: str) -> None:
    every = list(chain.from_iterable(names(file) for file in sorted((ROOT / folder).rglob("*.py"))))
    bare = [name for name in every if PARTICIPLES.fullmatch(name)]
    assert len(bare) <= MOST_PARTICIPLES * len(every), sorted(set(bare))
