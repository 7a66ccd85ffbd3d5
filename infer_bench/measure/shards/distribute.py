"""A comparison in parts on a Dask cluster: parts are added up as they come, and kept for a run that goes on."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from infer_bench.data import Dataset
from infer_bench.data.blocks import list_blocks, select
from infer_bench.data.file_digest import Digest, hash_ends
from infer_bench.errors import CannotRun, UsageError
from infer_bench.measure.shards.cluster import check_place, connect, count_workers, own_versions, run_tasks
from infer_bench.measure.shards.explain import explain_summary
from infer_bench.measure.shards.merge import Merge
from infer_bench.measure.shards.part_task import make_part_report
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.measure.validate.summary.part import ComparisonPlan
from infer_bench.output import OutputFile
from infer_bench.progress import Progress
from infer_bench.report.serialize import load_report
from infer_bench.report.validate import ValidateReport

PARTS_A_WORKER = 4


@dataclass(frozen=True, slots=True)
class Distribution:
    """Where parts are compared, how many (None: four a worker), and the folder in which they are kept, if any."""

    on: str
    parts: int | None = None
    resume: str | None = None

    def check(self, data: str | None, settings: ValidateSettings) -> None:
        """Raises `UsageError` for what cannot be."""
        check_place(self.on)
        if data is None:
            raise UsageError("parts are of the user's rows", "give --data ROWS")
        if settings.shard is not None:
            raise UsageError("--shard is one part, and --on makes them all", "leave one out")
        if self.parts is not None and self.parts < 1:
            raise UsageError("at least one part is needed")


def run(
    models: Sequence[str],
    data: str,
    engines: Sequence[str],
    settings: ValidateSettings,
    distribution: Distribution,
    progress: Progress,
) -> ValidateReport:
    """The report on all rows, compared in parts on a cluster; a part that three workers died of is named in it.

    Raises `CannotRun` where there is no cluster, or no part could be compared.
    """
    plan = ComparisonPlan(tuple(models), tuple(engines), data)
    progress.update(0, "reading the rows")
    blocks = list_blocks([file.groups for file in Dataset.open(data).files], settings.rows)
    with connect(distribution.on) as client:
        of = min(len(blocks), distribution.parts or PARTS_A_WORKER * count_workers(client))
        own = [i for i in range(1, of + 1) if i == 1 or select(blocks, i, of)]
        store = _Store.open(distribution.resume, plan, settings, of)
        whole, failures = Merge(), {}
        restored = [index for index in own if store.restore(index, whole)]
        arguments = (plan, settings)
        versions = own_versions()
        tasks = {i: (*arguments, i, of, os.getcwd(), versions) for i in own if i not in restored}
        for count, (index, report, reason) in enumerate(run_tasks(client, make_part_report, tasks), len(restored) + 1):
            if isinstance(report, bytes):
                whole.add(load_report(report), f"part {index}")
                store.keep(index, report)
            else:
                failures[index] = reason or str(report)
            progress.update(count / len(own), f"{count:,} of {len(own):,} parts")
    if not whole.indices:
        index, reason = next(iter(sorted(failures.items())))
        raise CannotRun(f"no part could be compared; part {index}: {reason}")
    return whole.report(explain_summary(whole.summary, plan, settings, progress), failures)


@dataclass(frozen=True, slots=True)
class _Store:
    """The folder in which parts are kept, under a key of all that they depend on; empty for none."""

    folder: str
    key: str
    of: int

    @classmethod
    def open(cls, folder: str | None, plan: ComparisonPlan, settings: ValidateSettings, of: int) -> "_Store":
        """Raises `OutputError` where it cannot be made."""
        if folder is None:
            return cls("", "", of)
        Path(folder).mkdir(parents=True, exist_ok=True)
        return cls(folder, _make_key(plan, settings), of)

    def _file(self, index: int) -> Path:
        return Path(self.folder) / f"{self.key}-part-{index}-of-{self.of}.json"

    def restore(self, index: int, whole: Merge) -> bool:
        """Add the part that is there; False where there is none that can be used."""
        file = self._file(index)
        if not self.folder or not file.exists():
            return False
        try:
            whole.add(load_report(file), str(file))
        except CannotRun:
            return False
        return True

    def keep(self, index: int, content: bytes) -> None:
        """Write a part, as a whole."""
        if self.folder:
            with OutputFile(str(self._file(index))) as file:
                file.write_atomic(content)


def _make_key(plan: ComparisonPlan, settings: ValidateSettings) -> str:
    files = {path: hash_ends(path) for path in _data_files(plan)}
    models = {path: Digest([Path(path)]).value() for path in _model_files(plan)}
    content = [asdict(plan), asdict(replace(settings, timeout_s=0.0)), files, models, own_versions()]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _data_files(plan: ComparisonPlan) -> Iterator[str]:
    return (file.path for file in Dataset.open(plan.data).files)


def _model_files(plan: ComparisonPlan) -> Iterator[str]:
    for model in plan.models:
        yield from (path for path in (model, model.rpartition(":")[0]) if os.path.isfile(path))
