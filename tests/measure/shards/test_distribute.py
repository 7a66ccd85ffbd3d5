"""A comparison that is distributed: kept parts are used again, what was given up is in the verdict."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench import validate
from infer_bench.errors import CannotRun, UsageError
from infer_bench.measure.shards import distribute, part_task
from infer_bench.measure.shards.cluster import check_place, check_versions, own_versions
from infer_bench.measure.shards.distribute import Distribution
from infer_bench.measure.shards.merge import Merge
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.measure.validate.summary.part import ComparisonPlan
from infer_bench.progress import Silent
from infer_bench.report.validate import ValidateReport
from tests.measure.shards.test_merge import without_times

PARTS = 2


class HereAlone:
    """A cluster in this process; it gives up some parts."""

    def __init__(self, give_up: tuple[int, ...] = ()) -> None:
        self.numbers: list[int] = []
        self.give_up = give_up

    def run_tasks(
        self, client: Any, function: Callable[..., Any], tasks: Mapping[int, tuple[Any, ...]]
    ) -> Iterator[Any]:
        for number, arguments in sorted(tasks.items(), reverse=True):
            self.numbers.append(number)
            lost = number in self.give_up
            yield number, None if lost else function(*arguments), "it ended 3 workers" if lost else ""


@pytest.fixture
def files(tmp_path: Path) -> tuple[tuple[str, str], str]:
    """Models, and rows of two blocks."""
    np.save(tmp_path / "predictions.npy", np.zeros((70_000, 1)))
    np.savez(tmp_path / "rows.npz", x=np.zeros(70_000))
    return (str(tmp_path / "predictions.npy"), "tests.measure.shards.functions:zero"), str(tmp_path / "rows.npz")


@pytest.fixture
def compare(
    files: tuple[tuple[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[HereAlone, Distribution], ValidateReport]:
    def run(cluster: HereAlone, distribution: Distribution) -> ValidateReport:
        monkeypatch.setattr(distribute, "connect", lambda on: contextlib.nullcontext(object()))
        monkeypatch.setattr(distribute, "count_workers", lambda client: 1)
        monkeypatch.setattr(distribute, "run_tasks", cluster.run_tasks)
        models, data = files
        return distribute.run(models, data, (), ValidateSettings(), distribution, Silent())

    return run


def test_it_says_what_one_run_says_and_goes_on_where_it_was(
    files: tuple[tuple[str, str], str], compare: Callable[..., ValidateReport], tmp_path: Path
) -> None:
    models, data = files
    kept, first = str(tmp_path / "kept"), HereAlone(give_up=(2,))
    report = compare(first, Distribution("dask", None, kept))
    assert first.numbers == [2, 1]
    assert report.verdict is not None
    assert (report.verdict.status, report.verdict.exit_code) == ("failed", 6)
    (reason,) = report.verdict.reasons
    assert "part 2 of 2: 4,464 rows were not validated (rows.npz row group 1): it ended 3 workers" in reason
    second = HereAlone()
    whole = compare(second, Distribution("dask", None, kept))
    assert second.numbers == [2]
    assert without_times(whole) == without_times(validate(*models, data=data))
    np.savez(tmp_path / "rows.npz", x=np.ones(70_000))
    third = HereAlone(give_up=(2,))
    compare(third, Distribution("dask", None, kept))
    assert third.numbers == [2, 1]


def test_where_no_part_is_left_there_is_no_report(compare: Callable[..., ValidateReport]) -> None:
    with pytest.raises(CannotRun, match=r"no part could be compared; part 1: it ended 3 workers"):
        compare(HereAlone(give_up=(1, 2)), Distribution("dask", PARTS))


def test_what_will_fail_again_is_said_once(tmp_path: Path) -> None:
    plan = ComparisonPlan(("gone.txt", "away.txt"), (), "rows.npz")
    report = part_task.make_part_report(plan, ValidateSettings(), 1, 2, str(tmp_path), own_versions())
    assert isinstance(report, str)
    assert "gone.txt" in report


def test_a_worker_with_other_versions_refuses() -> None:
    check_versions(own_versions())
    with pytest.raises(CannotRun, match=r"a worker has numpy .*, where 0.1 is expected"):
        check_versions(own_versions() | {"numpy": "0.1"})
    with pytest.raises(CannotRun, match=r"a worker has imaginary not installed, where 1 is expected"):
        check_versions(own_versions() | {"imaginary": "1"})


@pytest.mark.parametrize("on", ["", "ray", "dask://", "dask://host", "dask://host:port", "tcp://host:1"])
def test_what_is_no_place_is_refused(on: str) -> None:
    with pytest.raises(UsageError, match="no such place"):
        check_place(on)


@pytest.mark.parametrize(
    ("data", "settings", "parts"),
    [(None, ValidateSettings(), 1), ("x", ValidateSettings(shard="1/2"), 1), ("x", ValidateSettings(), 0)],
)
def test_what_cannot_be_distributed_is_refused(data: str | None, settings: ValidateSettings, parts: int) -> None:
    with pytest.raises(UsageError):
        Distribution("dask", parts).check(data, settings)
    Distribution("dask://host:8786", 1).check("x", ValidateSettings())


def test_a_worker_that_is_killed_changes_nothing_and_a_task_that_kills_three_is_given_up(tmp_path: Path) -> None:
    """On a real cluster of this machine."""
    pytest.importorskip("distributed")
    from infer_bench.measure.shards.cluster import connect, run_tasks
    from tests.measure.shards.functions import kill_worker

    with connect("dask") as client:
        tasks = {1: (str(tmp_path), 1, 0), 2: (str(tmp_path), 2, 1), 3: (str(tmp_path), 3, 9)}
        ends = {number: (value, reason) for number, value, reason in run_tasks(client, kill_worker, tasks)}
    assert ends[3] == (None, "it ended 3 workers")
    assert ends[2] == (20, "")
    assert ends[1] == (10, "")
    assert len([name for name in os.listdir(tmp_path) if name.startswith("3-")]) == 3


def test_parts_that_were_added_are_known() -> None:
    assert Merge().indices == ()
