"""`infer-bench bench` from the command line, on a fake engine in real workers: what it prints, writes and returns."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from infer_bench.cli.main import run
from infer_bench.engines import registry
from infer_bench.report.serialize import load_report
from tests.cli.waiting import wait_for_end, wait_for_file

ROOT = Path(__file__).parents[3]
QUICK = ["--rounds", "3"]


@pytest.fixture(autouse=True)
def fake_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BUILT_IN", {**registry.BUILT_IN, "fake": "tests.fakes:FakeEngine"})
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def rows(tmp_path: Path) -> str:
    path = tmp_path / "rows.npz"
    generator = np.random.default_rng(0)
    np.savez(path, a=generator.normal(size=300), b=generator.normal(size=300))
    return str(path)


def bench(rows: str, *arguments: str) -> int:
    return run(["bench", "tests.fakes:do", "--data", rows, *QUICK, *arguments])


def test_a_table_with_every_candidate_and_a_report_that_shows_the_same(
    rows: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    json_file = tmp_path / "report.json"
    assert bench(rows, "-e", "fake", "-e", "fake:slope=1.5", "--batch", "1,7", "--json", str(json_file)) == 0
    table = capsys.readouterr().out
    assert "batch 1" in table
    assert "batch 7" in table
    assert table.count("fake") >= 4
    assert run(["show", str(json_file)]) == 0
    assert capsys.readouterr().out == table

    report = load_report(json_file)
    assert report.complete
    assert len(report.results) == 4
    reference, other = report.results[:2]
    assert reference.max_abs_delta is None
    assert other.max_abs_delta is not None
    assert 0.05 < other.max_abs_delta < 0.2
    assert other.speedup is not None
    assert other.speedup.against == "fake"
    assert len(other.processes) == 3
    assert sum(len(process.rounds) for process in other.processes) == 3


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        ("killed", "SIGKILL"),
        ("segfault", "SIGSEGV"),
        ("exit", "exited with code 3"),
        ("raise", "boom in two lines"),
        ("refuse", "no such luck"),
    ],
)
def test_a_worker_that_fails_costs_its_row_and_the_rest_goes_on(
    rows: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], deed: str, words: str
) -> None:
    json_file = tmp_path / "report.json"
    assert bench(rows, "-e", "fake", "-e", f"fake:deed={deed}", "--json", str(json_file)) == 6
    output = capsys.readouterr()
    assert words in output.out
    assert output.err.count("\n") == 1
    good, bad = load_report(json_file).results
    assert good.failed is None
    assert good.request is not None
    assert good.request.samples > 0
    assert bad.failed is not None
    assert words in bad.failed


def test_a_hang_costs_its_row_too(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench(rows, "-e", "fake", "-e", "fake:deed=hang", "--timeout", "2") == 6
    assert "no answer" in capsys.readouterr().out


def test_the_reference_can_be_named_and_must_take_part(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    candidates = ["-e", "fake", "-e", "fake:slope=2.0"]
    assert bench(rows, *candidates, "--reference", "fake:slope=2.0", "--format", "json") == 0
    first, second = json.loads(capsys.readouterr().out)["results"]
    assert first["speedup"]["against"] == "fake:slope=2.0"
    assert second["speedup"] is None
    assert bench(rows, *candidates, "--reference", "fake:slope=3.0") == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--batch", "0"], "batch size"),
        (["--batch", "1,1"], "twice"),
        (["-e", "lightgbm:threads=0"], "threads cannot be '0'"),
        (["-e", "fake", "-e", "lightgbm:threads=many"], "threads cannot be 'many'"),
        (["--affinity", "4095"], "there is no CPU 4095"),
        (["--affinity", "-1"], "there is no CPU -1"),
        (["--batch", "one"], "not a list of numbers"),
        (["--threads", "0"], "threads"),
        (["--processes", "0"], "processes"),
        (["--percentiles", "100"], "percentile"),
        (["--budget", "1"], "not both"),
        (["--scenario", "server"], "one of: single_stream, offline"),
        (["--rows", "some"], "one of: rotate, same"),
        (["--format", "yaml"], "yaml"),
        (["-e", "fake:slop=1"], "known: deed, slope"),
        (["-e", "fakes"], "did you mean fake"),
        (["-e", "fake:slope"], "slope"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_line_before_anything_runs(
    rows: str, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    engines = [] if "-e" in arguments else ["-e", "fake"]
    assert bench(rows, *engines, *arguments) == 2
    output = capsys.readouterr()
    assert words in output.err
    assert output.out == ""
    assert "Traceback" not in output.err


def test_an_output_that_cannot_be_written_is_said_before_measuring(
    rows: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench(rows, "-e", "fake:deed=killed", "--json", str(tmp_path / "no" / "report.json")) == 6
    assert "cannot write" in capsys.readouterr().err


def test_a_full_disk_is_said_before_measuring(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench(rows, "-e", "fake:deed=killed", "--json", "/dev/full") == 6
    assert "No space left" in capsys.readouterr().err


def test_json_on_stdout_is_json_alone(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench(rows, "-e", "fake", "--json", "-") == 0
    assert json.loads(capsys.readouterr().out)["command"] == "bench"


def test_few_samples_print_what_they_would_need(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench(rows, "-e", "fake", "--scenario", "offline") == 0
    assert "n/a" in capsys.readouterr().out


def command(rows: str, *arguments: str) -> list[str]:
    code = (
        "import sys; from infer_bench.engines import registry; from infer_bench.__main__ import main\n"
        "registry.BUILT_IN['fake'] = 'tests.fakes:FakeEngine'; sys.exit(main())"
    )
    return [sys.executable, "-c", code, "bench", "tests.fakes:do", "--data", rows, "-e", "fake", *arguments]


def test_ctrl_c_leaves_a_readable_partial_report_and_no_worker(rows: str, tmp_path: Path) -> None:
    json_file = tmp_path / "report.json"
    running = subprocess.Popen(
        command(rows, "--budget", "600", "--json", str(json_file)),
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        process_group=0,
        text=True,
    )
    wait_for_file(json_file, running)
    os.killpg(running.pid, signal.SIGINT)
    _, output = running.communicate(timeout=600)
    assert running.returncode == 130
    note = f"note: the run was broken off: a partial report is on stdout and in {json_file}"
    plan, *lines = output.splitlines()
    assert plan.startswith("plan: 1 candidate")
    assert lines == [note, "interrupted"]
    report = load_report(json_file)
    assert not report.complete
    assert report.results[0].request is not None
    assert report.results[0].request.samples > 0
    assert run(["show", str(json_file)]) == 0


def test_a_kill_leaves_a_readable_partial_report_and_its_workers_die_too(rows: str, tmp_path: Path) -> None:
    json_file = tmp_path / "report.json"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = subprocess.Popen(command(rows, "--budget", "600", "--json", str(json_file)), env=environment)
    wait_for_file(json_file, running)
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    assert children
    running.kill()
    running.wait()
    assert not load_report(json_file).complete
    for child in children:
        with pytest.raises(ChildProcessError):
            os.waitpid(int(child), 0)
        wait_for_end(int(child))


def test_a_pipe_closed_early_ends_without_a_word(rows: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    short, pipe = command(rows, "--rounds", "3"), subprocess.PIPE
    with subprocess.Popen(short, stdout=pipe, stderr=pipe, env=environment) as running:
        assert running.stdout is not None
        running.stdout.close()
        assert running.stderr is not None
        assert running.stderr.read() == b""
        assert running.wait() == 0
