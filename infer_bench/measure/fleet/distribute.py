"""A fleet on a Dask cluster whose workers see the same files. Benches run here: their times are this machine's."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infer_bench.measure.fleet.plan import TIMED, Task
from infer_bench.measure.fleet.run import KeyedTask, RunAll, run_here
from infer_bench.measure.fleet.task import Place, give_up, run_task
from infer_bench.measure.shards.cluster import check_versions, own_versions, run_tasks
from infer_bench.report.fleet import FleetResult


def run_on(client: Any) -> RunAll:
    """What runs tasks on the cluster of a client of `measure.shards.cluster`."""

    def run_all(tasks: Sequence[KeyedTask], place: Place) -> Iterator[FleetResult]:
        timed = [pair for pair in tasks if pair[0].command in TIMED]
        others = [pair for pair in tasks if pair[0].command not in TIMED]
        arguments = {i: (task, key, place, own_versions()) for i, (task, key) in enumerate(others)}
        for i, result, reason in run_tasks(client, run_checked, arguments) if others else ():
            task, key = others[int(i)]
            yield result if result is not None else give_up(task, key, place, reason)
        yield from run_here(timed, place)

    return run_all


def run_checked(task: Task, key: str, place: Place, versions: Mapping[str, str]) -> FleetResult:
    """What a worker runs. Raises `CannotRun` where it has other versions."""
    check_versions(versions)
    return run_task(task, key, place)
