"""Parts of a comparison add up to what one run says, byte for byte; what does not belong together is refused."""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest

from infer_bench import merge, validate
from infer_bench.errors import CannotRun, UsageError
from infer_bench.measure.shards.merge import Merge
from infer_bench.report.part import Part
from infer_bench.report.serialize import dump, load_report
from infer_bench.report.validate import ValidateReport
from tests.faulty_networks import FEATURES, save_network
from tests.measure.validate.causes.cases import lightgbm_text, table

Edit = Callable[[ValidateReport], ValidateReport]
PARTS = 3


def without_times(report: ValidateReport) -> bytes:
    results = tuple(replace(result, rows_per_s=None) for result in report.results)
    environment = replace(report.environment, load_average_1m=None, cpu_mhz=None)
    return dump(replace(report, created_at="", results=results, environment=environment))


def save_rows(folder: Path, rows: Any, names: list[str]) -> str:
    """Two files of row groups of unlike sizes."""
    (folder / "rows").mkdir()
    half = len(rows) // 2
    for name, part, size in (("b", rows[half:], 70), ("a", rows[:half], 50)):
        pd.DataFrame(part, columns=names).to_parquet(folder / "rows" / f"{name}.parquet", row_group_size=size)
    return str(folder / "rows" / "*.parquet")


def compare_in_parts(folder: Path, parts: int, *models: str, **options: Any) -> tuple[ValidateReport, list[str]]:
    """The report on the whole, and files with those on the parts."""
    files = []
    for index in range(1, parts + 1):
        file = folder / f"part-{index}.json"
        file.write_bytes(dump(validate(*models, shard=f"{index}/{parts}", **options)))
        files.append(str(file))
    return validate(*models, **options), files


def part_in(file: str) -> Part:
    part = load_report(file).part
    assert part is not None
    return part


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> tuple[ValidateReport, list[str]]:
    """A model and itself without its last tree."""
    folder = tmp_path_factory.mktemp("trees")
    (folder / "whole.txt").write_text(lightgbm_text("binary"))
    lightgbm.Booster(model_file=str(folder / "whole.txt")).save_model(folder / "fewer.txt", num_iteration=11)
    rows = np.concatenate([table("binary")[0], table("binary", shift=0.1)[0]])
    data = save_rows(folder, rows, [f"Column_{i}" for i in range(rows.shape[1])])
    return compare_in_parts(folder, PARTS, str(folder / "whole.txt"), str(folder / "fewer.txt"), data=data)


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> tuple[ValidateReport, list[str]]:
    """A network, and forms of it that round more and that differ: what the reference rounds decides."""
    folder = tmp_path_factory.mktemp("networks")
    models = [str(save_network(folder / f"{kind}.onnx", kind)) for kind in ("plain", "split", "float16")]
    rows = np.random.default_rng(1).normal(size=(600, FEATURES)).astype(np.float32)
    rows[300:] *= 1_000
    data = save_rows(folder, rows, [f"c{i}" for i in range(FEATURES)])
    return compare_in_parts(folder, 2, *models, data=data, probes="on", rows=550)


@pytest.mark.parametrize("kind", ["trees", "networks"])
def test_merged_parts_say_what_one_run_says(kind: str, request: pytest.FixtureRequest) -> None:
    whole, files = request.getfixturevalue(kind)
    assert whole.verdict.status == "different"
    assert whole.results[-1].causes
    assert without_times(merge(*reversed(files))) == without_times(whole)


def test_any_order_and_a_part_twice_change_nothing(trees: tuple[ValidateReport, list[str]]) -> None:
    whole, files = trees
    for order in ([0, 1, 2], [2, 1, 1, 0], [1, 2, 0, 2]):
        merged = Merge()
        for place in order:
            merged.add(load_report(files[place]), files[place])
        merged.check_whole()
        data = merged.report(merged.summary).results[0].groups
        assert data == whole.results[0].groups


def test_a_part_says_that_it_is_one(trees: tuple[ValidateReport, list[str]]) -> None:
    part = load_report(trees[1][1])
    assert part.part is not None
    assert (part.part.index, part.part.of, part.settings["shard"]) == (2, 3, "2/3")
    assert [group.name for group in part.results[0].groups] == ["data"]
    assert sum(part_in(file).rows for file in trees[1]) == 1_000
    assert "causes are looked for when the parts are merged" in part.results[0].why


def test_missing_parts_are_named_with_the_commands_that_make_them(trees: tuple[ValidateReport, list[str]]) -> None:
    with pytest.raises(CannotRun, match=r"parts 1, 3 of 3 are missing") as error:
        merge(trees[1][1])
    assert error.value.exit_code == 6
    first, last = error.value.frames
    assert first.startswith("a.parquet row groups 0 to ")
    assert last.startswith("b.parquet row groups ")
    assert last.endswith("--shard 3/3 --json part-3.json")
    assert "*.parquet' --shard" in last


def test_where_the_models_are_gone_only_the_causes_are(trees: tuple[ValidateReport, list[str]], tmp_path: Path) -> None:
    whole, files = trees
    moved = [edit_part(file, tmp_path, models=("gone.txt", "away.txt")) for file in files]
    result = merge(*moved).results[0]
    assert result.groups == whole.results[0].groups
    assert repr(result.worst) == repr(whole.results[0].worst)
    assert (result.causes, result.different) == ((), True)
    assert result.why.startswith("not explained: ")
    assert "gone.txt" in result.why


def edit_part(file: str, folder: Path, **changes: Any) -> str:
    report = load_report(file)
    output = folder / Path(file).name
    output.write_bytes(dump(replace(report, part=replace(part_in(file), **changes))))
    return str(output)


def of_other_models(report: ValidateReport) -> ValidateReport:
    result = report.results[0]
    model = replace(result.candidate.model, sha256="0" * 64)
    return replace(report, results=(replace(result, candidate=replace(result.candidate, model=model)),))


def of_other_data(report: ValidateReport) -> ValidateReport:
    assert report.part is not None
    files = tuple(replace(file, ends_sha256="0" * 64) for file in report.part.files)
    return replace(report, part=replace(report.part, files=files))


def of_other_versions(report: ValidateReport) -> ValidateReport:
    packages = {**report.environment.packages, "lightgbm": "1.0"}
    return replace(report, environment=replace(report.environment, packages=packages))


def of_other_settings(report: ValidateReport) -> ValidateReport:
    return replace(report, settings={**report.settings, "threshold": 0.25})


def of_more_parts(report: ValidateReport) -> ValidateReport:
    return replace(report, part=dataclasses.replace(report.part, index=1, of=1) if report.part else None)


def of_other_rows(report: ValidateReport) -> ValidateReport:
    assert report.part is not None
    return replace(report, part=replace(report.part, index=3))


def of_nothing(report: ValidateReport) -> ValidateReport:
    assert report.part is not None
    return replace(report, part=replace(report.part, state="bm90aGluZw=="))


def of_fewer_rows(report: ValidateReport) -> ValidateReport:
    assert report.part is not None
    return replace(report, part=replace(report.part, rows=report.part.rows - 1))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (of_fewer_rows, r"does not hold the rows of part 2 of 3"),
        (of_other_models, r"fewer.txt is another model"),
        (of_other_data, r"the data files are others, such as a.parquet"),
        (of_other_versions, r"lightgbm is 1.0, and "),
        (of_other_settings, r"threshold is 0.25, and None"),
        (of_more_parts, r"does not hold the rows of part 1 of 1"),
        (of_other_rows, r"does not hold the rows of part 3 of 3"),
        (of_nothing, r"is damaged"),
        (lambda report: replace(report, complete=False, part=None), r"was broken off"),
        (lambda report: replace(report, part=None), r"is a report on all rows"),
    ],
)
def test_what_does_not_belong_together_is_refused(
    edit: Edit, message: str, trees: tuple[ValidateReport, list[str]], tmp_path: Path
) -> None:
    files = list(trees[1])
    other = tmp_path / "other.json"
    other.write_bytes(dump(edit(load_report(files[1]))))
    with pytest.raises(CannotRun, match=message) as error:
        merge(files[0], str(other), files[2])
    assert error.value.exit_code == 6


def test_two_parts_of_one_number_that_disagree_are_refused(
    trees: tuple[ValidateReport, list[str]], tmp_path: Path
) -> None:
    state = part_in(trees[1][2]).state
    with pytest.raises(CannotRun, match=r"are both part 2 of 3 and say different things"):
        merge(*trees[1], edit_part(trees[1][1], tmp_path, state=state))


def test_the_comparison_of_one_part_under_the_number_of_another_is_refused(
    trees: tuple[ValidateReport, list[str]], tmp_path: Path
) -> None:
    state = part_in(trees[1][2]).state
    with pytest.raises(CannotRun, match=r"it holds the comparison of another part"):
        merge(trees[1][0], edit_part(trees[1][1], tmp_path, state=state), trees[1][2])


def test_a_part_that_was_not_validated_is_in_the_verdict(trees: tuple[ValidateReport, list[str]]) -> None:
    whole = Merge()
    for file in trees[1][:2]:
        whole.add(load_report(file), file)
    report = whole.report(whole.summary, {3: "it ended three workers"})
    assert report.results[0].failed is not None
    assert "part 3 of 3: 290 rows were not validated (b.parquet row groups" in report.results[0].failed
    assert report.verdict is not None
    assert report.verdict.exit_code == 4
    assert "it ended three workers" in report.verdict.reasons[-1]


def test_a_part_without_rows_is_a_part(tmp_path: Path) -> None:
    """Of two blocks in three parts one has nothing."""
    np.save(tmp_path / "predictions.npy", np.zeros((70_000, 1)))
    np.savez(tmp_path / "rows.npz", x=np.zeros(70_000))
    options: dict[str, Any] = {"data": str(tmp_path / "rows.npz")}
    models = (str(tmp_path / "predictions.npy"), "tests.measure.shards.functions:zero")
    whole, files = compare_in_parts(tmp_path, 3, *models, **options)
    assert [part_in(file).rows for file in files] == [65_536, 0, 4_464]
    assert without_times(merge(*files)) == without_times(whole)
    assert without_times(merge(files[0], files[2])) == without_times(whole)
    assert json.loads(dump(whole))["verdict"]["exit_code"] == 0


@pytest.mark.parametrize("shard", ["0/3", "4/3", "3", "a/b", "1/0", "-1/2", "1/9999999"])
def test_what_is_no_shard_is_refused(shard: str) -> None:
    with pytest.raises(UsageError, match="shard"):
        validate("a.txt", "b.txt", data="rows.parquet", shard=shard)


def test_a_shard_needs_rows(trees: tuple[ValidateReport, list[str]]) -> None:
    part = part_in(trees[1][0])
    with pytest.raises(UsageError, match="a shard is of the user's rows"):
        validate(*part.models, shard="1/2")
