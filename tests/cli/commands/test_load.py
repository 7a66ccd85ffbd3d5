"""`infer-bench load` from its arguments to its exit code."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infer_bench.cli.main import run
from infer_bench.cli.options.reading import read_rate, read_span
from infer_bench.errors import UsageError
from infer_bench.report.serialize import load_report
from tests.stub_service import Exchange, predict, serve

pytest.importorskip("uvloop")


@pytest.fixture
def rows(tmp_path: Path) -> str:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1.5,2\n2.5,3\n")
    return str(path)


def arguments(url: str, rows: str, *more: str) -> list[str]:
    brief = ["--rate", "400/s", "--duration", "100ms", "--warmup", "0", "--timeout", "10m"]
    return ["load", url, "-d", rows, *brief, *more]


def test_a_report_is_written_and_shown(rows: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "report.json"
    with serve(predict) as url:
        code = run(arguments(url, rows, "--json", str(file)))
    assert code in (0, 3)  # a busy machine makes the load invalid
    report = load_report(file)
    assert report.results[0].samples == 40
    assert report.verdict is not None
    assert report.verdict.exit_code == code
    assert "400/s" in capsys.readouterr().out


def test_a_service_that_is_not_there_is_one_line(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments("http://127.0.0.1:1", rows)) == 6
    message = capsys.readouterr().err
    assert message.count("\n") == 2
    assert "refuses connections" in message


def test_another_machine_needs_a_word(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments("http://192.0.2.1/", rows)) == 2
    assert "--target-is-mine" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--rate", "fast"], ["--slo", "rss<3MB"], ["--arrivals", "late"], ["-c", "0"]])
def test_options_that_make_no_sense(option: list[str], rows: str) -> None:
    assert run(arguments("http://127.0.0.1:1", rows, *option)) == 2


def test_a_service_that_always_fails_is_no_regression(rows: str, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    with serve(lambda e: e.reply_json({"error": "boom"}, "500 Internal Server Error")) as url:
        assert run(arguments(url, rows, "--slo", "p50<1s", "--json", str(file))) == 6
    assert json.loads(file.read_bytes())["results"][0]["errors"] == {"status-500": 40}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_broken_off_leaves_what_was_measured(number: signal.Signals, rows: str, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    process: list[subprocess.Popen[str]] = []

    def interrupt_at_hundred(exchange: Exchange) -> None:
        if exchange.number == 100:
            process[0].send_signal(number)
        predict(exchange)

    with serve(interrupt_at_hundred) as url:
        command = arguments(url, rows, "--duration", "100s", "--json", str(file))
        process.append(
            subprocess.Popen(
                [sys.executable, "-m", "infer_bench", *command],
                env={**os.environ, "NO_COLOR": "1"},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        out, err = process[0].communicate(timeout=600)
    assert process[0].returncode == 128 + number
    assert "Traceback" not in err
    assert "partial report" in err
    assert "not finished" in out
    report = load_report(file)
    assert not report.complete
    assert 50 <= report.results[0].samples < 1_000
    assert report.results[0].errors == {}


def test_rates_and_times() -> None:
    assert [read_rate(text) for text in ("1000/s", "600/min", "1_000", "1,000/s", "2k/s", " .5 / s ")] == [
        1000,
        10,
        1000,
        1000,
        2000,
        0.5,
    ]
    assert [read_span(text) for text in ("0", "0s", "250ms", "2m")] == [0, 0, 0.25, 120]
    for text in ("", "fast", "-1/s", "1/x", "1,5/s", "1,00/s"):
        with pytest.raises(UsageError):
            read_rate(text)
