"""`bench --save-baseline` and `--baseline` on fake engines in real workers."""

from pathlib import Path

import pytest

from infer_bench.cli.main import run
from infer_bench.measure.race import Race
from infer_bench.serialize import load_report

pytestmark = pytest.mark.usefixtures("fake_engines")
OLD = b"a good one"


def bench(rows: str, *arguments: str) -> int:
    return run(["bench", "tests.fakes:do", "-d", rows, *arguments])


def save(rows: str, *candidates: str) -> int:
    quick = ["--rounds", "2", "--processes", "2", "--save-baseline", "base.json"]
    return bench(rows, *(word for candidate in candidates for word in ("-e", candidate)), *quick)


def test_a_run_in_which_nothing_failed_is_kept(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("base.json").write_bytes(OLD)
    assert save(rows, "fake") == 0
    assert load_report("base.json").complete
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("before", [OLD, None])
@pytest.mark.parametrize("candidates", [["fake:deed=killed"], ["fake", "fake:deed=refuse"]])
def test_a_run_in_which_something_failed_leaves_the_baseline_as_it_was(
    rows: str, capsys: pytest.CaptureFixture[str], candidates: list[str], before: bytes | None
) -> None:
    base = Path("base.json")
    if before:
        base.write_bytes(before)
    assert save(rows, *candidates) == 6
    assert (base.read_bytes() if base.exists() else None) == before
    assert "no baseline was saved, base.json is as it was" in capsys.readouterr().err


def test_a_run_that_was_interrupted_leaves_the_baseline_as_it_was(
    rows: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("base.json").write_bytes(OLD)
    measure = Race.run

    def interrupted(self: Race, saved: object) -> None:
        def after_a_round() -> None:
            raise KeyboardInterrupt

        measure(self, after_a_round)

    monkeypatch.setattr(Race, "run", interrupted)
    assert save(rows, "fake") == 130
    assert Path("base.json").read_bytes() == OLD
    assert "no baseline was saved" in capsys.readouterr().err


def test_a_baseline_that_cannot_be_written_is_said_before_measuring(
    rows: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench(rows, "-e", "fake:deed=killed", "--save-baseline", "none/base.json") == 6
    assert capsys.readouterr().err.startswith("error: cannot write none/base.json")


@pytest.mark.parametrize("path", ["-", ""])
def test_a_baseline_is_a_file(rows: str, capsys: pytest.CaptureFixture[str], path: str) -> None:
    assert bench(rows, "-e", "fake", "--save-baseline", path) == 2
    assert "--save-baseline keeps a file" in capsys.readouterr().err
