"""What can be known without a worker is said before the first is started."""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.cli.main import run
from infer_bench.workers.process import Worker
from tests.cli.gating import SAMPLES, model

pytestmark = pytest.mark.usefixtures("fake_engines", "no_worker")
TREES = str(SAMPLES / "digits.txt")
FUNCTION = "tests.cli.stuck:doubles"


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a worker was started")

    monkeypatch.setattr(Worker, "__init__", refuse)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # so that a conversion would take a worker


@pytest.fixture
def files(fake_engines: None) -> None:
    Path("broken.json").write_text('[{"a": 1},')
    Path("empty.csv").write_text("a,b\n")
    Path("two.json").write_text(json.dumps([{"a": 1.0}, {"a": 2.0}]))
    np.save("three.npy", np.zeros(3))


BENCH, PROFILE, VALIDATE = ["bench", FUNCTION], ["profile", FUNCTION], ["validate", FUNCTION, FUNCTION]
BOTH = ["-e", FUNCTION, "-e", "tests.cli.stuck:halves"]
GATE = ["bench", TREES, "-e", "onnxruntime", "--against", "lightgbm"]
FAULTS: dict[str, tuple[list[str], int, str]] = {
    "rows that are not there": ([*BENCH, "-d", "none.csv"], 6, "no such data file"),
    "rows that are no JSON": ([*BENCH, "-d", "broken.json"], 6, "it is no JSON"),
    "no rows": ([*BENCH, "-d", "empty.csv"], 6, "has no rows"),
    "rows of a gate": ([*GATE, "-d", "none.csv"], 6, "no such data file"),
    "rows of a candidate to convert": (["bench", TREES, "-e", "onnxruntime", "-d", "none.csv"], 6, "no such data file"),
    "rows of a comparison": ([*VALIDATE, "-d", "broken.json"], 6, "it is no JSON"),
    "rows of a conversion": (["convert", TREES, "-o", "out.onnx", "-d", "none.csv"], 6, "no such data file"),
    "rows of a profile": ([*PROFILE, "-d", "none.csv"], 6, "no such data file"),
    "records of a profile": ([*PROFILE, "--input", "broken.json"], 6, "it is no JSON"),
    "a second candidate": (["bench", TREES, "-e", "onnxruntime", "-e", "onnxrntime"], 2, "did you mean onnxruntime?"),
    "a candidate of a gate": ([*GATE, "-e", "lightgbm:fed=ndarray"], 2, "fed"),
    "a baseline of a gate": (["bench", TREES, "-e", "onnxruntime", "--against", "lightgbm:fed=1"], 2, "fed"),
    "a limit of a gate": ([*GATE, "--limit", "nosuch.p50<5ms"], 2, "concerns none of the candidates"),
    "a reference": (["bench", TREES, "-e", "onnxruntime", "--reference", "lightgbm"], 2, "is no candidate"),
    "an engine of a comparison": (["validate", TREES, "-e", "onnxruntime", "-e", "nosuch"], 2, "no engine 'nosuch'"),
    "predictions without rows": (["validate", "three.npy", FUNCTION], 2, "need the rows that they belong to"),
    "predictions of other rows": (["validate", "three.npy", FUNCTION, "-d", "two.json"], 6, "3 predictions for 2 rows"),
    "nothing to compare on": ([*VALIDATE, "--probes", "off"], 2, "nothing to compare on"),
    "two candidates in a file": ([*PROFILE, *BOTH, "-o", "a.prof"], 2, "holds one"),
    "two candidates to view": ([*PROFILE, *BOTH, "--view"], 2, "holds one"),
    "a profile of one": ([*PROFILE, "--diff", FUNCTION, "-e", FUNCTION], 2, "nothing to compare with"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.usefixtures("files")
def test_it_is_said_before_a_worker_starts(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if "view" in name:
        pytest.importorskip("snakeviz")
    arguments, code, words = FAULTS[name]
    assert run(arguments) == code
    output = capsys.readouterr()
    assert output.out == ""
    assert words in output.err
    assert output.err.startswith("error: ")


LIBRARIES = {
    "pyinstrument": [*PROFILE, "-o", "run.pyinstrument.html"],
    "snakeviz": [*PROFILE, "--view"],
    "jinja2": [*BENCH, "-f", "html", "-o", "page.html"],
    "pyarrow": [*VALIDATE, "--export-worst", "worst.parquet"],
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_that_the_output_takes_is_missed_before_a_worker_starts(
    library: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    look_up = importlib.util.find_spec

    def find_spec(name: str, *more: Any) -> Any:
        return None if name == library else look_up(name, *more)

    for module in ("measure.profile.run", "measure.validate.worst_rows", "cli.snakeviz.view"):
        monkeypatch.setattr(f"infer_bench.{module}.find_spec", find_spec)
    monkeypatch.setitem(sys.modules, library, None)
    assert run(LIBRARIES[library]) == 6
    assert f"{library} is not installed" in capsys.readouterr().err


def test_a_gate_of_two_files_reads_its_rows_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", model("new"), "-e", "filed", "--against", model("old"), "-d", "none.csv"]) == 6
    assert "no such data file" in capsys.readouterr().err
