"""`infer-bench validate` from the command line: exit codes, what is printed where, and bad input in one line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.cli.main import run
from infer_bench.report.serialize import load_report
from tests.measure.validate.causes.cases import lightgbm_text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("models")
    text = lightgbm_text("binary")
    (place / "model.txt").write_text(text)
    (place / "same.txt").write_text(text)
    (place / "other.txt").write_text(lightgbm_text("binary", seed=7, num_leaves=4))
    random = np.random.default_rng(0)
    columns: dict[str, Any] = {f"Column_{i}": random.normal(size=50) for i in range(4)}
    np.savez(place / "rows.npz", **columns)
    np.savez(place / "lacking.npz", **{name: columns[name] for name in list(columns)[1:]})
    np.savez(place / "extra.npz", **columns, label=columns["Column_0"])
    np.savez(place / "text.npz", **{**columns, "Column_2": np.array(["a"] * 50)})
    np.save(place / "object.npy", np.array([[{}, 1.0]], dtype=object), allow_pickle=True)
    write_parquet(place, columns)
    return place


def write_parquet(place: Path, columns: dict[str, Any]) -> None:
    from pyarrow import parquet, table

    parquet.write_table(table(columns), place / "rows.parquet")
    parquet.write_table(table({name: values[:0] for name, values in columns.items()}), place / "none.parquet")
    whole = (place / "rows.parquet").read_bytes()
    (place / "cut.parquet").write_bytes(whole[: len(whole) // 2])


def validate(folder: Path, candidate: str, data: str, *arguments: str) -> int:
    models = [str(folder / "model.txt"), str(folder / candidate)]
    return run(["validate", *models, "--data", str(folder / data), *arguments])


def test_the_same_model_passes_and_the_report_shows_the_same(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    json_file = tmp_path / "report.json"
    assert validate(folder, "same.txt", "rows.parquet", "--json", str(json_file)) == 0
    output = capsys.readouterr()
    assert "data" in output.out
    assert output.out.rstrip().endswith("pass: same answers")
    assert output.err == ""
    assert run(["show", str(json_file)]) == 0
    assert capsys.readouterr().out == output.out
    assert load_report(json_file).results[0].groups[0].rows == 50


def test_another_model_is_different_and_its_worst_rows_are_written(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from pyarrow import csv

    worst = tmp_path / "worst.csv"
    arguments = ["--probes", "off", "--threshold", "0.5", "--worst", "4", "--export-worst", str(worst), "--json", "-"]
    assert validate(folder, "other.txt", "rows.npz", *arguments) == 4
    report = json.loads(capsys.readouterr().out)
    assert report["verdict"]["status"] == "different"
    assert report["results"][0]["groups"][0]["failing"] > 0
    worst_rows = csv.read_csv(worst)
    assert worst_rows.num_rows == 4
    assert {"_row", "_abs_delta", "Column_3"} <= set(worst_rows.column_names)


@pytest.mark.parametrize(
    ("data", "code", "says"),
    [
        ("lacking.npz", 6, "it takes 4, and the data has 3"),
        ("text.npz", 6, "holds text"),
        ("object.npy", 6, "object array"),
        ("none.parquet", 6, "no rows"),
        ("cut.parquet", 6, "cannot read"),
        ("nowhere.parquet", 6, "no such data file"),
    ],
)
def test_bad_rows_end_in_one_line(
    folder: Path, data: str, code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert validate(folder, "same.txt", data) == code
    output = capsys.readouterr()
    assert output.out == ""
    assert says in output.err.splitlines()[0]
    assert len(output.err.splitlines()) <= 2


def test_a_column_too_many_is_named_and_not_used(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert validate(folder, "same.txt", "extra.npz", "--probes", "off") == 0
    assert "1 note: --notes shows it\n" in capsys.readouterr().out
    assert validate(folder, "same.txt", "extra.npz", "--probes", "off", "--notes") == 0
    note = "1 column of extra.npz is not the model's and was not used: 'label'"
    assert note in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["--atol", "-1"], ["--probes", "some"], ["--input-dtype", "float16"], ["-e", "lightgbm"] * 3]
)
def test_a_wrong_command_line_is_told_before_anything_starts(
    folder: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert validate(folder, "same.txt", "rows.npz", *arguments) == 2
    assert capsys.readouterr().err


def test_a_crash_of_a_candidate_is_reported_as_such(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    code = run(
        [
            "validate",
            str(folder / "model.txt"),
            "tests.cli.dying:answer",
            "--data",
            str(folder / "rows.npz"),
            "--probes",
            "off",
        ]
    )
    output = capsys.readouterr()
    assert code == 6
    assert "worker" in output.out + output.err


def test_a_function_is_compared_with_a_model_whose_columns_the_rows_hold(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    models = ["tests.cli.stuck:halves", str(folder / "model.txt")]
    rows = ["--data", str(folder / "extra.npz"), "--probes", "off"]
    assert run(["validate", *models, *rows, "--atol", "1"]) == 0
    assert run(["validate", *models, *rows]) == 4
    assert capsys.readouterr().err == ""


def test_tolerances_of_the_project_hold_unless_others_are_given(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.infer-bench]\natol = 2.0\n")
    monkeypatch.chdir(tmp_path)
    assert validate(folder, "other.txt", "rows.npz", "--probes", "off", "--json", "-") in (0, 4)
    assert json.loads(capsys.readouterr().out)["settings"]["atol"] == 2
    assert validate(folder, "same.txt", "rows.npz", "--probes", "off", "--atol", "1", "--json", "-") == 0
    assert json.loads(capsys.readouterr().out)["settings"]["atol"] == 1
    (tmp_path / "pyproject.toml").write_text('[tool.infer-bench]\natol = "much"\n')
    assert validate(folder, "same.txt", "rows.npz") == 2
