"""What the documents say exists: commands, options, candidates, targets, files, links; and nothing local is told."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from infer_bench import __version__
from infer_bench.cli.app import build_app
from infer_bench.engines.base import check_options
from infer_bench.report import serialize
from infer_bench.reporters.registry import find, names

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("sample_models/*.md")])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RUNNABLE = re.compile(r"<!-- runnable -->\n+```(?:console|sh)\n(.*?)^```", re.DOTALL | re.MULTILINE)
FENCE = re.compile(r"^ *```\w*\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
OPTION = re.compile(r"(?<![\w-])--?[a-zA-Z][\w-]*")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
LOCAL = re.compile(r"(?<![\w.~/$}])/(?:home|root|work|Users|tmp/\w+)/[\w.]")
_HOSTS = (
    "py" + "pi.org",
    "python" + "hosted.org",
    "ana" + "conda.org",
    "ana" + "conda.com",
    "npm" + "js.com",
    "npm" + "js.org",
)
REGISTRY = re.compile("|".join(re.escape(host) for host in _HOSTS) + "|--(?:extra-)?index-url")


def commands(text: str) -> list[list[str]]:
    """The argument lists of the runnable blocks of a document, without what is piped or redirected."""
    command_lines = []
    for block in RUNNABLE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            line = line.strip()
            if line.startswith("$ "):
                command_lines.append(list(_before_shell_operator(shlex.split(line[2:], comments=True))))
    return command_lines


def _before_shell_operator(words: list[str]) -> list[str]:
    ends = [i for i, word in enumerate(words) if word in {"|", ">", ">>", "2>", "&&", ";"}]
    return words[: ends[0]] if ends else words


ALL_COMMANDS = [
    pytest.param(words, id=f"{path.name}:{' '.join(words)}")
    for path in DOCUMENTS
    for words in commands(path.read_text(encoding="utf-8"))
]


def options(words: list[str]) -> set[str]:
    """The option names among `words`: `--json=x` is `--json`, a lone `-` is a file."""
    return {word.split("=")[0] for word in words if OPTION.fullmatch(word.split("=")[0])}


@cache
def help_of(*subcommand: str, columns: int = 400) -> str:
    environment = {**os.environ, "COLUMNS": str(columns), "NO_COLOR": "1", "TERM": "dumb"}
    command = [sys.executable, "-m", "infer_bench", *subcommand, "--help"]
    process = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def missing_options(words: list[str], help_text: str) -> set[str]:
    return options(words) - set(OPTION.findall(help_text))


def test_commands_are_found_in_readme_and_manual() -> None:
    with_commands = {path.name for path in DOCUMENTS if commands(path.read_text(encoding="utf-8"))}
    assert {"README.md", "candidates.md"} <= with_commands


def test_only_marked_blocks_are_taken_and_shell_is_cut_off() -> None:
    text = "```console\n$ not this\n```\n<!-- runnable -->\n```console\n$ a b \\\n  --c=1 > d  # e\nout\n$ f | g\n```\n"
    assert commands(text) == [["a", "b", "--c=1"], ["f"]]


def test_an_unknown_option_is_noticed() -> None:
    assert missing_options(["--no-such", "-e", "x:feed=y", "-", "--json=-"], "  --json PATH  -e, --engine X") == {
        "--no-such"
    }


@pytest.mark.parametrize("words", ALL_COMMANDS)
def test_command_and_options_exist(words: list[str]) -> None:
    assert words[0] == "infer-bench"
    subcommand = [] if words[1].startswith("-") else [words[1]]
    assert not missing_options(words[1:], help_of(*subcommand))


SUBCOMMANDS = [registered.callback.__name__ for registered in build_app().registered_commands if registered.callback]


def test_the_list_of_commands_cuts_no_sentence_short() -> None:
    lines = help_of(columns=80).partition("Commands:\n")[2].splitlines()
    assert sorted(line.split()[0] for line in lines) == sorted(SUBCOMMANDS)
    assert [line for line in lines if not re.search(r"\w\.$", line)] == []


@pytest.mark.parametrize("subcommand", [[], *([name] for name in SUBCOMMANDS)])
def test_help_fits_into_eighty_columns(subcommand: list[str]) -> None:
    assert [line for line in help_of(*subcommand, columns=80).splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("subcommand", SUBCOMMANDS)
def test_examples_of_the_help_have_options_that_exist(subcommand: str) -> None:
    page = help_of(subcommand)
    for words in map(shlex.split, re.findall(r"^ *Example: (.+)", page, re.MULTILINE)):
        assert words[:2] == ["infer-bench", subcommand]
        assert not missing_options(words, page)


@pytest.mark.parametrize("words", ALL_COMMANDS)
def test_files_of_a_command_exist(words: list[str]) -> None:
    assert [word for word in words if word.startswith("sample_models/") and not (ROOT / word).is_file()] == []


def candidates() -> list[str]:
    """What stands behind `-e` in the runnable commands."""
    lists = [words for path in DOCUMENTS for words in commands(path.read_text(encoding="utf-8"))]
    return sorted({value for words in lists for key, value in pairwise(words) if key == "-e"})


def engine(name: str) -> Any:
    module, _, attribute = PROJECT["entry-points"]["infer_bench.engines"][name].partition(":")
    return getattr(import_module(module), attribute)()


@pytest.mark.parametrize("candidate", candidates())
def test_candidate_is_known(candidate: str) -> None:
    name, _, rest = candidate.partition(":")
    options = dict(pair.split("=", 1) for pair in rest.split(",") if pair)
    assert check_options(engine(name), options).items() >= options.items()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    targets = [target for target in LINK.findall(path.read_text(encoding="utf-8")) if "://" not in target]
    assert [target for target in targets if not _exists(path, target)] == []


def _exists(document: Path, target: str) -> bool:
    file, _, anchor = target.partition("#")
    path = (document.parent / file) if file else document
    if not anchor or not path.exists():
        return path.exists()
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = path.read_text(encoding="utf-8")
    mentions = {name for block in FENCE.findall(text) for name in re.findall(r"^make ([a-z-]+)", block, re.MULTILINE)}
    assert mentions | set(re.findall(r"`make ([a-z-]+)`", text)) <= targets


def test_readme_table_of_extras_is_true() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    extras = set(re.findall(r"'\.\[([a-z]+)\]'", text))
    assert extras
    assert extras <= set(PROJECT["optional-dependencies"])


def test_every_format_is_named_where_formats_are_listed() -> None:
    formats = set(PROJECT["entry-points"]["infer_bench.reporters"])
    page = (ROOT / "docs/exports.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([\w-]+)` \| ((?:bench|every)[^|]*) \|", page, re.MULTILINE))
    assert formats == set(rows)
    for name, commands in rows.items():
        documented = serialize.DOCUMENTS if commands.startswith("every") else commands.split(", ")
        assert set(documented) == find(name, "bench").commands, name
    text = re.sub(r"\s+", " ", help_of("show"))
    assert {name for name in formats if not re.search(rf"(?<![\w-]){name}(?![\w-])", text)} == set()


@pytest.mark.parametrize("command", ["bench", "convert", "quantize", "validate"])
def test_the_help_of_a_command_names_the_formats_that_it_has(command: str) -> None:
    reporters = {name: find(name, "bench") for name in names()}
    match = re.search(r"--format NAME +(.+?) +(?:\[default|-)", " ".join(help_of(command).split()))
    assert match is not None
    formats = set(re.findall(r"[\w-]+", match[1])) - {"or"}
    assert formats == {name for name, reporter in reporters.items() if command in reporter.commands}


def test_changelog_has_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[?{re.escape(__version__)}\]?", text, re.MULTILINE)


def test_decisions_are_all_listed() -> None:
    pages = {path.name for path in (ROOT / "docs/decisions").glob("[0-9]*.md")}
    assert pages == set(LINK.findall((ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")))


def tracked_files() -> list[Path]:
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    try:
        process = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in process.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_the_source_distribution_holds_what_is_tracked() -> None:
    directives = [line.split() for line in (ROOT / "MANIFEST.in").read_text(encoding="utf-8").splitlines()]
    shipped = {name for verb, *names in directives if verb in ("include", "graft") for name in names}
    shipped |= {"infer_bench", "README.md", "LICENSE", "pyproject.toml", "MANIFEST.in"}  # by setuptools itself
    tops = {path.relative_to(ROOT).parts[0] for path in tracked_files()}
    assert tops - shipped == {".gitignore", ".github"}


@pytest.mark.parametrize("pattern", [LOCAL, REGISTRY], ids=["absolute path", "registry"])
def test_nothing_local_is_tracked(pattern: re.Pattern[str]) -> None:
    files = tracked_files()
    assert files
    hits = {str(path.relative_to(ROOT)): pattern.findall(path.read_bytes().decode("latin-1")) for path in files}
    assert {name: places for name, places in hits.items() if places} == {}


@pytest.mark.parametrize("text", ["see /ho" + "me/x/y", "'/ro" + "ot/.venv/bin'", "/wo" + "rk/a", "(/tm" + "p/w/b)"])
def test_absolute_paths_are_noticed(text: str) -> None:
    assert LOCAL.search(text)
