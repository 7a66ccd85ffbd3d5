"""`infer-bench profile` from the command line, on functions and models of the test's own, in real workers."""

import json
import re
from pathlib import Path

import pytest

from infer_bench.cli.main import run
from infer_bench.measure.profile.prof_file import unpack
from infer_bench.report.serialize import load_report
from tests.cli.commands.profiling import QUICK, calls, enter_folder, profile
from tests.cli.quiet import closing_without_noise


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter_folder(tmp_path, monkeypatch)


def test_a_function_that_builds_a_frame_is_told_so_and_its_phases_sum_up(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A frame of 4,000 columns takes many times longer than the model, however busy the machine is."""
    arguments = ("service:predict_credit_score", "--input", "record.json", "--split", "--json", "r.json")
    assert profile(*arguments, "-o", "a.prof", *QUICK) == 0
    output = capsys.readouterr()
    report = load_report("r.json")
    row = report.results[0]
    assert row.candidate == "service:predict_credit_score"
    assert row.does["predict"] == "LogisticRegression.predict_proba"
    typical = row.typical
    parts = typical.preprocess_ns + typical.predict_ns + typical.postprocess_ns
    assert parts + row.unaccounted_ns == typical.request_ns
    assert typical.preprocess_ns > typical.predict_ns
    assert {step.name for step in row.steps if step.phase == "preprocess"} >= {"DataFrame build", "reindex"}
    assert re.match(r"DataFrames take \d\d % of the request", closing_without_noise(report))
    assert "LogisticRegression.predict_proba" in output.out
    assert "view: infer-bench profile --view a.prof" in output.err
    assert calls("a.prof", folder / "service.py", "predict_credit_score") == 40
    assert unpack("a.prof")[1] == report


def test_an_async_function_is_awaited_and_its_model_call_is_seen_in_another_thread(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert profile("service:awaited", "--input", "record.json", "--profiler", "none", "--format", "json", *QUICK) == 0
    row = json.loads(capsys.readouterr().out)["results"][0]
    assert row["does"]["predict"] == "LogisticRegression.predict_proba"
    assert row["functions"] == []


def test_records_reach_the_function_as_they_stand_in_the_file(folder: Path) -> None:
    (folder / "echo.py").write_text(
        "def f(r):\n    assert r == {'a': 1, 'b': [1, 'x'], 'c': None}, r\n    return 1.0\n"
    )
    (folder / "one.json").write_text('[{"a": 1, "b": [1, "x"], "c": null}]')
    assert profile("echo:f", "--input", "one.json", "--profiler", "none", *QUICK) == 0


def test_a_function_without_a_model_is_not_divided(capsys: pytest.CaptureFixture[str]) -> None:
    assert profile("light:plain", "--input", "record.json", "--profiler", "none", *QUICK) == 0
    out = capsys.readouterr().out
    assert "the whole function" in out
    assert "cannot be told apart" in out
    assert "faster engine" not in out


@pytest.mark.parametrize(
    ("target", "words", "frames"),
    [
        ("light:raises", "LookupError: no such customer", ["in raises: return inner", "in inner: raise LookupError"]),
        ("light:raises_later", "LookupError: no such customer", ["in raises_later", "in inner"]),
        ("light:exits", "SystemExit: 3", ["in exits: sys.exit(3)"]),
        ("light:dies", "exited with code 3", []),
        ("light:nothing", "returned nothing", []),
        ("light:absent", "no 'absent'", []),
        ("broken:f", "No module named 'nothing_of_this_name'", ["broken.py:1 in <module>"]),
        ("no_such_module:f", "no module 'no_such_module'", []),
    ],
)
def test_a_target_that_fails_is_one_line_with_the_users_frames_and_no_file(
    folder: Path, capsys: pytest.CaptureFixture[str], target: str, words: str, frames: list[str]
) -> None:
    (folder / "kept.prof").write_bytes(b"as it was")
    files = ("-o", "kept.prof", "--json", "new.json")
    assert profile(target, "--input", "record.json", *files, "--requests", "300") == 6
    output = capsys.readouterr()
    assert output.out == ""
    lines = [line for line in output.err.splitlines() if not line.startswith("hint: ")]
    assert lines[0].startswith("error: ")
    assert words in lines[0]
    assert all(line.startswith(("  light.py:", "  broken.py:")) for line in lines[1:])
    for line, frame in zip(lines[1:], frames, strict=True):
        assert frame in line
    assert not (folder / "new.json").exists()
    assert (folder / "kept.prof").read_bytes() == b"as it was"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--profiler", "perf"], "one of: cprofile, pyinstrument, none"),
        (["--sort", "calls"], "one of: cumulative, own"),
        (["--requests", "0"], "requests"),
        (["--requests", "5", "--budget", "1"], "not both"),
        (["--requests", "5", "--budget", "500ms"], "not both"),
        (["--budget", "soon"], "no time"),
        (["--batch", "0"], "batch size"),
        (["--format", "pyinstrument"], "needs a file"),
        (["--format", "pstats", "-o", "-"], "needs a file"),
        (["--format", "yaml"], "yaml"),
        (["--profiler", "pyinstrument", "-o", "a.prof"], "does not write pstats"),
        (["--profiler", "cprofile", "-o", "a.pyinstrument.html"], "does not write pyinstrument"),
        (["--data", "rows.csv"], "not both"),
        (["--require-provider", "gpu"], "no provider 'gpu'"),
        (["-e", "light:plain", "-e", "light:slow", "-o", "a.prof"], "one candidate"),
        (["--diff", "light:plain", "-e", "light:plain"], "nothing to compare"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_line_before_anything_runs(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert profile("light:plain", "--input", "record.json", *arguments) == 2
    output = capsys.readouterr()
    assert words in output.err
    assert output.out == ""
    assert "Traceback" not in output.err


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "[3]", "[{}]", "{", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")]
)
def test_an_input_that_is_no_record_is_refused(folder: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (folder / "bad.json").write_text(text, encoding="utf-8")
    assert profile("light:plain", "--input", "bad.json") == 6
    assert capsys.readouterr().err.startswith("error: ")


def test_an_output_that_cannot_be_written_is_said_before_measuring(capsys: pytest.CaptureFixture[str]) -> None:
    assert profile("light:dies", "--input", "record.json", "-o", "no/a.prof") == 6
    assert "cannot write" in capsys.readouterr().err


def test_two_profiles_and_two_candidates_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    for name, function in (("before.prof", "slow"), ("after.prof", "plain")):
        assert profile(f"light:{function}", "--input", "record.json", "-o", name, *QUICK) == 0
    capsys.readouterr()
    assert profile("--diff", "before.prof", "after.prof") == 0
    text = capsys.readouterr().out
    assert re.search(r"request +\d.* -\d.* faster", text)
    assert re.search(r"light.py\(slow\) .* gone", text)
    assert profile("light:plain", "--input", "record.json", "--diff", "light:slow", *QUICK) == 0
    assert "from light:slow to light:plain" in capsys.readouterr().out
    assert profile("before.prof", "--diff", "record.json") == 2


def test_beside_another_candidate_a_failure_costs_its_row(capsys: pytest.CaptureFixture[str]) -> None:
    candidates = ("-e", "light:raises", "-e", "light:slow")
    assert profile("light:plain", "--input", "record.json", *candidates, "--json", "r.json", *QUICK) == 6
    output = capsys.readouterr()
    assert "no such customer" in output.out
    assert output.err.startswith("failed: light:raises: ")
    bad, good = load_report("r.json").results
    assert "no such customer" in bad.failed
    assert good.request.samples > 0
    assert good.diff is None


def test_a_saved_profile_is_shown_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert profile("light:plain", "--input", "record.json", "-o", "a.prof", "--top", "3", *QUICK) == 0
    first = capsys.readouterr().out
    assert profile("a.prof", "--top", "3") == 0
    assert capsys.readouterr().out == first
    assert run(["show", "a.prof"]) != 0
