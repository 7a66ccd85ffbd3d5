"""What is said of a whole run, of numbers that are missing, and of answers that do not hold on probes."""

from dataclasses import replace
from typing import Any

import pytest

from infer_bench.report.bench import ProbeTest
from infer_bench.report.validate import Cause
from infer_bench.reporters.bench.columns import fill_line
from infer_bench.reporters.bench.groups import group_results, split_candidate
from infer_bench.reporters.bench.sentences.describe import describe_report, explain_missing
from tests.reporters.bench.reading import ARRAY, FRAME, ONNX, REFERENCE, alarms, faster, holds, sentences_of
from tests.reports import SETTINGS, failure, latency, phases_of, report, too_few


def test_what_is_missing_is_explained_once() -> None:
    few = replace(FRAME, request=too_few(800), phases=replace(phases_of(9, 9, 9), predict=too_few(9)))

    sentence = "n/a: too few samples; p95 takes 93 and p99 takes 473 (--rounds and --budget make more)"
    assert explain_missing(report(few, few, ONNX), phases=False) == sentence
    assert explain_missing(report(replace(few, request=latency(800))), phases=True) == sentence
    assert not explain_missing(report(replace(few, request=latency(800))), phases=False)
    assert not explain_missing(report(failure(REFERENCE, "killed")), phases=True)


def test_the_mean_of_calls_has_no_tail() -> None:
    means = replace(latency(800), unit="batch-mean")
    sentences = [describe_report(report(replace(FRAME, request=r))) for r in (means, replace(means, p99_ns=None))]

    assert [text.text.endswith("the tail (n/a).") for (text,) in sentences] == [False, True]


def test_candidates_of_one_engine_are_told_apart_by_what_differs() -> None:
    two = faster(replace(ONNX, candidate="onnxruntime:feed=ndarray,spinning=off,threads=2"), 140.0, 139.0, 141.0)
    one = replace(ONNX, candidate="onnxruntime:feed=ndarray,spinning=off,threads=1")

    assert sentences_of(FRAME, one, two)[0].startswith("onnxruntime (threads=2) answers")


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"complete": False}, "The run was not finished"),
        ({"settings": SETTINGS | {"rows_source": "drawn from the model"}}, "drawn from the model itself"),
        ({"results": (replace(FRAME, request=replace(latency(800), unit="batch-mean")),)}, "the mean of several"),
    ],
)
def test_what_holds_for_the_whole_run(changes: dict[str, Any], part: str) -> None:
    assert describe_report(report()) == []
    assert holds([sentence.text for sentence in describe_report(replace(report(), **changes))], part)


def test_a_feed_that_was_not_written_is_shown_too() -> None:
    bare = replace(FRAME, candidate="lightgbm", options={"feed": "dataframe", "threads": "1"})

    assert split_candidate(bare) == ("lightgbm", ("feed=dataframe",))
    assert split_candidate(replace(bare, candidate="lightgbm:threads=1")) == (
        "lightgbm",
        ("feed=dataframe", "threads=1"),
    )
    assert split_candidate(replace(bare, candidate="service:predict", engine="callable")) == ("service:predict", ())


BROKEN = ProbeTest(4_000, 812, 0.13, 40, groups={"thresholds": 800, "NaN": 12}, causes=(Cause("threshold cast", 812),))


def test_answers_that_do_not_hold_on_probes_are_marked_and_told() -> None:
    broken = replace(ONNX, probes=BROKEN)

    assert alarms(FRAME, ARRAY, broken) == [
        "† onnxruntime differs in 812 of 4,000 probe rows (on split points 800 and NaN 12), by up to 1e-01 and with "
        "another label in 40; cause: threshold cast."
    ]
    (model,) = group_results([FRAME, ARRAY, broken], SETTINGS)
    lines = [fill_line(result, model[0], SETTINGS) for result in (ARRAY, broken)]
    assert [(line.cells["delta"], line.alarm) for line in lines] == [("0.0e+00", False), ("7.3e-08 †", True)]


def test_nobody_who_breaks_probes_is_put_forward() -> None:
    fastest = sentences_of(FRAME, ARRAY, replace(ONNX, probes=BROKEN))[0]
    assert fastest.startswith("lightgbm with an array answers a request 89× faster")
    alone = sentences_of(FRAME, replace(ONNX, probes=BROKEN))[0]
    assert alone.endswith("and the same to 7e-08, on these rows alone.")


def test_probes_that_pass_are_not_mentioned_and_those_not_answered_are() -> None:
    assert not holds(sentences_of(FRAME, replace(ONNX, probes=ProbeTest(4_000))), "probe")
    silent = replace(ONNX, probes=ProbeTest(failed="the worker died"))
    assert holds(sentences_of(FRAME, silent), "onnxruntime was not tried on rows made to find differences: the worker")
    refusing = replace(ONNX, probes=ProbeTest(40, 8, refusals=8, groups={"NaN": 8}, why="no missing values, please"))
    assert alarms(FRAME, refusing) == [
        "† onnxruntime differs in 8 of 40 probe rows (NaN 8), refusing 8; no missing values, please."
    ]
