"""What a part of a comparison hands to a merge."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from pathlib import Path

from infer_bench.data import Dataset
from infer_bench.data.blocks import Block
from infer_bench.data.file_digest import hash_ends
from infer_bench.measure.validate.settings import PartNumber, ValidateSettings
from infer_bench.measure.validate.summary.codec import pack
from infer_bench.measure.validate.summary.values import ComparisonSummary
from infer_bench.measure.validate.user_rows import UserRows
from infer_bench.report.part import Part, PartFile, RowGroups

_FLAGS = {"timeout_s": "timeout"}
"""Settings whose option is called otherwise."""
_APART = ("shard", "requests")
"""The part's own number, and what is said of drawn requests: a part is of the user's rows."""


@dataclass(frozen=True, slots=True)
class ComparisonPlan:
    """What is compared, as the user wrote it: the reference first among `models`."""

    models: tuple[str, ...]
    engines: tuple[str, ...]
    data: str

    def command(self, settings: ValidateSettings, number: PartNumber, output: str) -> str:
        """The command line that makes one part."""
        return shlex.join(["infer-bench", *self.words(settings, number, output)])

    def words(self, settings: ValidateSettings, number: PartNumber, output: str) -> list[str]:
        """The words of that command line, but for the program's name."""
        flags = _list_flags(self.engines, settings)
        return ["validate", *self.models, "--data", self.data, *flags, "--shard", str(number), "--json", output]


def make_part(
    summary: ComparisonSummary, rows: UserRows, number: PartNumber, plan: ComparisonPlan, elapsed_ns: int
) -> Part:
    """Part `number`, whose rows have been compared. Raises `DataError` where a data file has gone."""
    blocks = rows.blocks
    return Part(
        index=number.index,
        of=number.of,
        first_row=blocks[0].first if blocks else None,
        rows=rows.count,
        row_groups=list_row_groups(blocks),
        files=_describe_files(rows.dataset, blocks),
        models=plan.models,
        engines=plan.engines,
        data=plan.data,
        state=pack(summary),
        elapsed_ns=elapsed_ns,
    )


def files_of(blocks: Iterable[Block]) -> list[int]:
    """The places of the files that begin in these blocks: their hashes are this part's to find."""
    return sorted({block.file for block in blocks if block.group == 0})


def _describe_files(dataset: Dataset, blocks: Sequence[Block]) -> tuple[PartFile, ...]:
    own = set(files_of(blocks))
    return tuple(
        PartFile(
            Path(file.path).name,
            file.bytes,
            file.groups,
            hash_ends(file.path),
            dataset.digest.value_of(place) if place in own else None,
        )
        for place, file in enumerate(dataset.files)
    )


def list_row_groups(blocks: Iterable[Block]) -> tuple[RowGroups, ...]:
    """The blocks, by file."""
    by_file = ((file, tuple(own)) for file, own in groupby(blocks, key=lambda block: block.file))
    return tuple(
        RowGroups(file, own[0].group, own[-1].group, sum(block.rows for block in own)) for file, own in by_file
    )


def _list_flags(engines: Sequence[str], settings: ValidateSettings) -> list[str]:
    """The options of `infer-bench validate` that say so, but for those `_APART`."""
    flags: list[str] = []
    for engine in engines:
        flags += ["--engine", engine]
    for field in fields(settings):
        value = getattr(settings, field.name)
        if value != field.default and field.name not in _APART:
            option = "--" + _FLAGS.get(field.name, field.name).replace("_", "-")
            flags += [option] if value is True else [option, str(value)]
    return flags
