"""Limits as they are written: every form, and that garbage raises `UsageError` and nothing else."""

import contextlib
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infer_bench.errors import UsageError
from infer_bench.gates.limits import Bound, parse_bound, parse_duration, parse_regressions, share_of, unit_of


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("5%", {"p50": 0.05, "p95": 0.05}),
        ("0.05", {"p50": 0.05, "p95": 0.05}),
        (" 5 % ", {"p50": 0.05, "p95": 0.05}),
        ("p50=3%,p95=10%", {"p50": 0.03, "p95": 0.1}),
        ("p50 = 3% , load=20%,rss=10%,size=0%", {"p50": 0.03, "load": 0.2, "rss": 0.1, "size": 0.0}),
        ("cold-start=20%", {"cold_start": 0.2}),
        ("p99.9=50%", {"p99.9": 0.5}),
        ("p50.0=3%", {"p50": 0.03}),
        ("150%", {"p50": 1.5, "p95": 1.5}),
        ("0.5%", {"p50": 0.005, "p95": 0.005}),
    ],
)
def test_what_is_allowed_on_top(text: str, shares: dict[str, float]) -> None:
    assert parse_regressions(text) == pytest.approx(shares)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("5", "per cent sign"),
        ("p50=7", "write 7%"),
        ("0%", "never so small"),
        ("p50=0%", "never so small"),
        ("0.4%", "0.5% or more"),
        ("load=0%", "never so small"),
        ("p50=3%,p50=4%", "twice"),
        ("p50=3%,p50.0=4%", "twice"),
        ("5%,p95=10%", "twice"),
        ("p0=5%", "no metric 'p0'"),
        ("p100=5%", "no metric 'p100'"),
        ("mean=5%", "no metric 'mean'"),
        ("-5%", "no limit"),
        ("", "no limit"),
        ("p50=", "no limit"),
        ("=5%", "no metric ''"),
        ("p50=5%,", "no limit"),
        ("p50=five%", "no limit"),
        ("1000001%", "allows everything"),
        ("9" * 400 + "%", "allows everything"),
        ("nan%", "no limit"),
        ("1e3%", "no limit"),
    ],
)
def test_margins_that_make_no_sense_are_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_regressions(text)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("text", "metric", "value", "whom"),
    [
        ("p99<5ms", "p99", 5e6, ""),
        ("p99.9<5ms", "p99.9", 5e6, ""),
        ("p99 <= 5 ms", "p99", 5e6, ""),
        ("onnxruntime.p50<50us", "p50", 50e3, "onnxruntime"),
        ("onnxruntime.p99.9<50us", "p99.9", 50e3, "onnxruntime"),
        ("onnxruntime:feed=ndarray.p95 < 3 ms", "p95", 3e6, "onnxruntime:feed=ndarray"),
        ("onnxruntime:threads=2,feed=ndarray.p95<3ms", "p95", 3e6, "onnxruntime:threads=2,feed=ndarray"),
        ("service.main:predict.p50<1ms", "p50", 1e6, "service.main:predict"),
        ("p50<50µs", "p50", 50e3, ""),
        ("p50<50μs", "p50", 50e3, ""),
        ("p50<50ns", "p50", 50, ""),
        ("p50<1.5s", "p50", 1.5e9, ""),
        ("p50<5e-1s", "p50", 5e8, ""),
        ("rss<300MB", "rss", 3e8, ""),
        ("rss<1GiB", "rss", 2.0**30, ""),
        ("cold-start<2s", "cold_start", 2e9, ""),
        ("size<10kb", "size", 1e4, ""),
    ],
)
def test_an_absolute_limit(text: str, metric: str, value: float, whom: str) -> None:
    assert parse_bound(text) == Bound(metric, pytest.approx(value), whom, text.strip())  # type: ignore[arg-type]
    assert parse_bound(text).unit == unit_of(metric)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("p99<5", "needs a unit"),
        ("p99<5MB", "needs a unit"),
        ("rss<5ms", "needs a unit"),
        ("p99<5m", "needs a unit"),
        ("p99>5ms", "no limit"),
        ("p99=5ms", "no limit"),
        ("p99<-5ms", "no limit"),
        ("p99<0ms", "above zero"),
        ("p99<1e999ms", "above zero"),
        ("p99<5ms<6ms", "no limit"),
        ("<5ms", "no metric ''"),
        ("onnxruntime<5ms", "no metric 'onnxruntime'"),
        ("p999<5ms", "no metric 'p999'"),
        ("", "no limit"),
        (" " * 100_000 + "<", "no limit"),
    ],
)
def test_absolute_limits_that_make_no_sense_are_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_bound(text)
    assert words in str(error.value)


LIKELY = st.text(st.sampled_from("p590.=%,<> msuµμbrlaod:e-1٣²\x00"), max_size=30)


@given(st.one_of(st.text(max_size=40), LIKELY))
@example("p٥٠<٣ms")
@example("p50<²ms")
def test_garbage_raises_usage_errors_alone_and_what_is_read_can_be_used(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert all(math.isfinite(share) and share >= 0 for share in parse_regressions(text).values())
    with contextlib.suppress(UsageError):
        bound = parse_bound(text)
        assert 0 < bound.value < math.inf
    with contextlib.suppress(UsageError):
        assert parse_duration(text) > 0


@given(st.floats(0.01, 99.99).map(lambda p: round(p, 3)))
def test_a_percentile_is_named_as_it_is_written(percent: float) -> None:
    name = f"p{percent:.10g}"
    assert parse_bound(f"{name}<1ms").metric == name
    assert share_of(name) == pytest.approx(percent / 100)


@pytest.mark.parametrize(
    ("text", "expected"), [("10s", 10), ("500ms", 0.5), ("2m", 120), ("1min", 60), (".5", 0.5), ("1h", 3600), ("3", 3)]
)
def test_durations(text: str, expected: float) -> None:
    assert parse_duration(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "0", "-1s", "10 parsecs", "s", "1e3", "nan"])
def test_durations_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="no time"):
        parse_duration(text)


def test_whom_a_limit_concerns() -> None:
    everyone, engine = parse_bound("p50<1ms"), parse_bound("onnxruntime.p50<1ms")
    assert everyone.concerns("lightgbm:feed=ndarray", "lightgbm", "m.txt")
    assert engine.concerns("onnxruntime:threads=2", "onnxruntime", "m.onnx")
    assert not engine.concerns("lightgbm", "lightgbm", "m.txt")
    assert parse_bound("service:predict.p50<1ms").concerns("callable", "callable", "service:predict")


@pytest.mark.parametrize(
    ("whom", "concerned"),
    [
        ("new.onnx", True),
        ("models/new.onnx", True),
        ("./new.onnx", True),
        ("/ci/models/new.onnx", True),
        ("ew.onnx", False),
        ("old.onnx", False),
        ("models", False),
        ("other/new.onnx", False),
    ],
)
def test_a_model_is_told_by_the_end_of_its_path(whom: str, concerned: bool) -> None:
    assert parse_bound(f"{whom}.p50<1ms").concerns("onnxruntime", "onnxruntime", "/ci/models/new.onnx") is concerned
