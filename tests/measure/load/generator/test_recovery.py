"""What is asked of a service between two trials."""

from pathlib import Path

import pytest

from infer_bench.measure.load.generator import recovery
from infer_bench.measure.load.generator.recovery import MOST_FAILURES, await_recovery
from infer_bench.measure.load.preparation import prepare
from infer_bench.measure.load.service import read_rows
from infer_bench.measure.load.settings import LoadSettings
from tests.stub_service import Exchange, predict, serve

pytest.importorskip("uvloop")


def count_requests(tmp_path: Path, failures: int, limit_ns: float) -> int:
    """How many requests are sent to a service that fails so often at first; one more is asked beforehand."""
    (tmp_path / "rows.csv").write_text("a\n1\n")
    numbers: list[int] = []

    def handle(exchange: Exchange) -> None:
        numbers.append(exchange.number)
        if 1 <= exchange.number <= failures:
            exchange.reply_json({"error": "busy"}, "503 Service Unavailable")
        else:
            predict(exchange)

    with serve(handle) as url:
        service, _ = prepare(url, read_rows(str(tmp_path / "rows.csv"), 1), LoadSettings(rate=1.0, timeout_s=600.0))
        numbers.clear()
        await_recovery(service, limit_ns)
    return len(numbers)


def test_a_service_is_asked_until_it_answers_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "LONGEST_S", 600.0)
    assert count_requests(tmp_path, failures=3, limit_ns=600e9) == 4


def test_one_that_refuses_everything_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "LONGEST_S", 600.0)
    monkeypatch.setattr(recovery, "PAUSE_S", 0.0)
    assert count_requests(tmp_path, failures=1_000, limit_ns=600e9) == MOST_FAILURES


def test_one_that_stays_slow_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "LONGEST_S", 0.05)
    count_requests(tmp_path, failures=0, limit_ns=0.0)  # and ends
