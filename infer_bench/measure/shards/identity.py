"""Whether two parts belong to one comparison. Pure."""

from collections.abc import Iterator
from typing import Any

from infer_bench.data.blocks import Block, list_blocks, select
from infer_bench.errors import CannotRun
from infer_bench.measure.validate.summary.part import list_row_groups
from infer_bench.report.common import ModelInfo
from infer_bench.report.part import Part, PartFile, RowGroups
from infer_bench.report.validate import ComparedModel, ValidateReport

_OWN = frozenset({"data", "data_sha256", "shard", "timeout_s"})
"""Settings that parts of one comparison need not share."""


def part_of(report: ValidateReport, name: str) -> Part:
    """The part in a report. Raises `CannotRun` for a report of another kind, an unfinished or an inconsistent one."""
    if report.command != "validate":
        raise CannotRun(f"{name} is a report of {report.command}, not a part of a comparison", _MAKE)
    if not report.complete:
        raise CannotRun(f"{name} is of a run that was broken off", "run it again")
    if report.part is None:
        raise CannotRun(f"{name} is a report on all rows, not on a part of them", _MAKE)
    part = report.part
    if not (1 <= part.index <= part.of and _has_its_rows(report, part)):
        raise CannotRun(f"{name} does not hold the rows of part {part.index} of {part.of}", "run it again")
    return part


def _has_its_rows(report: ValidateReport, part: Part) -> bool:
    blocks = blocks_of(report, part, part.index)
    return list_row_groups(blocks) == part.row_groups and sum(block.rows for block in blocks) == part.rows


def blocks_of(report: ValidateReport, part: Part, index: int) -> tuple[Block, ...]:
    """The rows that part `index` of the same comparison has."""
    blocks = list_blocks([file.row_groups for file in part.files], report.settings.get("rows"))
    return select(blocks, index, part.of)


def describe_blocks(blocks: tuple[Block, ...], part: Part) -> str:
    """In words: `a.parquet row groups 3 to 5, b.parquet row group 0`."""
    if not blocks:
        return "no rows"
    groups = [f"{part.files[own.file].name} {_name_groups(own)}" for own in list_row_groups(blocks)]
    return ", ".join(groups if len(groups) <= _MOST else [*groups[:_MOST], f"and {len(groups) - _MOST} more files"])


def _name_groups(own: RowGroups) -> str:
    return f"row group {own.first}" if own.first == own.last else f"row groups {own.first} to {own.last}"


def check_same(report: ValidateReport, name: str, first: ValidateReport, first_name: str) -> None:
    """Raises `CannotRun` unless both are parts of one comparison: of models, data, settings and versions."""
    difference = next(_differences(report, first), "")
    if difference:
        raise CannotRun(f"{name} and {first_name} are of two comparisons: {difference}", _SAME)


def _differences(report: ValidateReport, first: ValidateReport) -> Iterator[str]:
    """What is otherwise, in words, with the value of the first one last."""
    yield from _model_differences(report, first)
    part, other = report.part, first.part
    assert part is not None
    assert other is not None
    if part.of != other.of:
        yield f"one of {part.of} parts, and one of {other.of}"
    ours, theirs = ([_data_identity(file) for file in p.files] for p in (part, other))
    if ours != theirs:
        name = next((str(a[0]) for a, b in zip(ours, theirs, strict=False) if a != b), "")
        yield f"the data files are others, such as {name}" if name else f"{len(ours)} and {len(theirs)} data files"
    yield from _setting_differences(report.settings, first.settings)
    yield from _version_differences(report, first)


def _data_identity(file: PartFile) -> tuple[object, ...]:
    return file.name, file.bytes, file.row_groups, file.ends_sha256


def _model_differences(report: ValidateReport, first: ValidateReport) -> Iterator[str]:
    sides, others = _models(report), _models(first)
    if len(sides) != len(others):
        yield "not as many models"
    for side, other in zip(sides, others, strict=False):
        if side.engine != other.engine:
            yield f"{side.engine} and {other.engine}"
        if _identity(side.model) != _identity(other.model):
            yield f"{side.model.path} is another model ({side.model.sha256[:12]}, and {other.model.sha256[:12]})"


def _models(report: ValidateReport) -> list[ComparedModel]:
    return [side for result in report.results for side in (result.reference, result.candidate)]


def _identity(model: ModelInfo) -> tuple[str, ...]:
    """What makes two models the same: their bytes, and of a function or a service its name."""
    return model.family, model.format, model.sha256 or model.path


def _setting_differences(ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
    for name in sorted({*ours, *theirs} - _OWN):
        if ours.get(name) != theirs.get(name):
            yield f"{name} is {ours.get(name)}, and {theirs.get(name)}"


def _version_differences(report: ValidateReport, first: ValidateReport) -> Iterator[str]:
    for name, (ours, theirs) in compare_versions(versions_of(report), versions_of(first)).items():
        yield f"{name} is {ours or 'not there'}, and {theirs or 'not there'}"


def versions_of(report: ValidateReport) -> dict[str, str]:
    """What must be the same on every machine: infer-bench, Python without its patch level, and the libraries."""
    python = ".".join(report.environment.python.split(".")[:2])
    return {"infer-bench": report.tool_version, "Python": python, **report.environment.packages}


def compare_versions(ours: dict[str, str], theirs: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Name -> both versions, of what differs; an empty one is not there."""
    pairs = {name: (ours.get(name, ""), theirs.get(name, "")) for name in sorted({*ours, *theirs})}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


_MAKE = "infer-bench validate … --shard 1/8 --json part-1.json makes one"
_SAME = "make all parts with the same models, data, settings and versions"
_MOST = 3
