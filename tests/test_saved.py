"""Reports that were saved once can still be read, mean the same, and render in every format of their command."""

import contextlib
import json
from pathlib import Path

import pytest

from infer_bench.errors import UsageError
from infer_bench.report.serialize import DOCUMENTS, dump, load_report
from infer_bench.reporters.registry import find, names, render

FILES = sorted((Path(__file__).parent / "saved").glob("*.json"))


def test_there_is_one_of_every_command() -> None:
    assert {load_report(path).command for path in FILES} == set(DOCUMENTS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_that_was_saved_is_lost(path: Path) -> None:
    assert contains(json.loads(dump(load_report(path))), json.loads(path.read_bytes()))


def contains(whole: object, part: object) -> bool:
    """Whether all of `part` stands in `whole`, which may have more keys."""
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(name in whole and contains(whole[name], value) for name, value in part.items())
    if isinstance(whole, list) and isinstance(part, list):
        return len(whole) == len(part) and all(map(contains, whole, part))
    return whole == part


def renders(format: str, command: str) -> bool:
    with contextlib.suppress(UsageError):
        return command in find(format, command).commands
    return False


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_format_of_the_command_renders_it(path: Path) -> None:
    report = load_report(path)
    formats = [name for name in names() if renders(name, report.command)]
    assert {"table", "json"} <= set(formats)
    for name in formats:
        assert render(report, name).strip()
