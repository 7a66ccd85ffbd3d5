"""A sentence is said where it holds, and is silent or another where it does not."""

from dataclasses import replace
from typing import Any

import pytest

from infer_bench.report.bench import BenchResult, Round
from infer_bench.reporters.bench.groups import group_results
from infer_bench.reporters.bench.sentences.describe import describe_model
from tests.reporters.bench.reading import ARRAY, FRAME, ONNX, REFERENCE, alarms, faster, holds, sentences_of
from tests.reports import SETTINGS, US, credit, failure, phases_of


def test_the_fastest_is_told_with_its_answers_and_the_bottleneck() -> None:
    assert sentences_of(*credit()) == [
        "onnxruntime answers a request 130× faster than lightgbm with a DataFrame, and the same to 7e-08.",
        "99 % of the DataFrame request is work on DataFrames (88 % around the call, 10 % inside it): the engine is not "
        "the bottleneck.",
    ]


def test_work_on_frames_inside_the_call_counts_and_is_said_at_any_share() -> None:
    part = replace(
        FRAME, phases=phases_of(300 * US, 700 * US, 0), frame_ns={"preprocess": 200 * US, "predict": 50 * US}
    )

    assert sentences_of(part, ONNX)[-1] == (
        "25 % of the DataFrame request is work on DataFrames (20 % around the call, 5 % inside it)."
    )
    sentence = sentences_of(replace(part, frame_ns={"preprocess": 200 * US, "predict": 400 * US}), ONNX)[-1]
    assert sentence.endswith("(20 % around the call, 40 % inside it): the engine is not the bottleneck.")


def test_what_an_array_saves_is_work_on_frames() -> None:
    slow = replace(
        FRAME, phases=phases_of(300 * US, 700 * US, 0), frame_ns={"preprocess": 290 * US, "predict": 50 * US}
    )
    twin = replace(ARRAY, phases=phases_of(20 * US, 100 * US, 0))

    assert holds(
        sentences_of(slow, twin), "89 % of the DataFrame request is work on DataFrames (29 % around the call, 60 %"
    )
    other = replace(twin, options={"feed": "ndarray", "threads": "2"})
    assert holds(sentences_of(slow, other), "34 % of the DataFrame request is work on DataFrames")
    assert not holds(sentences_of(replace(slow, frame_ns={}), other), "work on DataFrames")


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({"max_abs_delta": 0.0}, ", and exactly the same."),
        ({"max_abs_delta": 0.02}, ", but up to 2e-02 apart."),
        ({"max_abs_delta": None}, "; its answers were not compared."),
        ({"label_changes": 3}, ", but does not answer the same."),
        ({"non_finite_mismatches": 1}, ", but does not answer the same."),
    ],
)
def test_speed_is_never_told_without_what_is_answered(changes: dict[str, Any], end: str) -> None:
    assert sentences_of(FRAME, replace(ONNX, **changes))[0].endswith(end)


def test_a_candidate_that_answers_otherwise_is_not_put_forward() -> None:
    other = faster(ONNX, 900.0, 890.0, 910.0, label_changes=12)

    assert sentences_of(FRAME, ARRAY, other)[0].startswith("lightgbm with an array answers a request 89× faster")


@pytest.mark.parametrize(
    ("low", "high", "is_shown"),
    [(0.97, 1.07, False), (1.0, 1.07, False), (1.01, 1.07, True)],
)
def test_an_interval_that_holds_1_shows_no_difference(low: float, high: float, is_shown: bool) -> None:
    texts = sentences_of(FRAME, faster(ONNX, 1.02, low, high))

    assert holds(texts, "1.02× faster") == is_shown
    assert holds(texts, "No difference shown between onnxruntime and lightgbm with a DataFrame: 1.02×") != is_shown


def test_a_reference_that_is_the_fastest() -> None:
    texts = sentences_of(FRAME, faster(ONNX, 0.5, 0.4, 0.6), faster(ARRAY, 0.3, 0.2, 0.4))

    assert texts[0] == "lightgbm with a DataFrame answers a request fastest; onnxruntime is next, at 0.50× its speed."


def alone(result: BenchResult) -> BenchResult:
    return replace(result, processes=result.processes[:1])


@pytest.mark.parametrize("ratio", [130.0, 1.27, 1.0, 0.5])
def test_without_an_interval_nothing_is_claimed(ratio: float) -> None:
    texts = sentences_of(alone(FRAME), alone(faster(ONNX, ratio, None, None)), alone(faster(ARRAY, ratio, None, None)))

    assert texts[0] == "No speed-up is certain: one process gives no interval (--processes 3)."
    assert not holds(texts, "fast")
    assert not holds(texts, "slow")


def test_a_process_that_ended_early_leaves_too_few_pairs() -> None:
    assert sentences_of(FRAME, faster(ONNX, 130.0, None, None))[0] == (
        "No speed-up is certain: fewer than two processes measured both sides, which gives no interval."
    )


@pytest.mark.parametrize("few", [FRAME, ONNX])
def test_without_a_median_nothing_is_claimed(few: BenchResult) -> None:
    assert few.request is not None
    without = replace(few, request=replace(few.request, p50_ns=None, needs={"p50": 9}))
    texts = sentences_of(*(without if result is few else result for result in (FRAME, ONNX)))

    assert texts[0] == "No speed-up is certain: there are too few samples for a median."


def test_a_candidate_without_an_interval_is_told_apart_from_those_with_one() -> None:
    texts = sentences_of(FRAME, ARRAY, alone(faster(ONNX, 130.0, None, None)))

    assert texts[0].startswith("lightgbm with an array answers a request 89× faster")
    assert texts[1] == "No speed-up of onnxruntime is certain: one process gives no interval (--processes 3)."


def test_a_reference_is_the_fastest_only_when_all_others_are_shown_to_be_slower() -> None:
    slow = faster(ARRAY, 0.5, 0.4, 0.6)
    unsure = alone(faster(ONNX, 0.5, None, None))
    wide = faster(ONNX, 0.4, 0.1, 1.2)
    other = faster(ONNX, 130.0, 129.0, 131.0, label_changes=3)

    sentence = "lightgbm with an array answers a request slower than lightgbm with a DataFrame: 0.50× (0.40–0.60)"
    assert sentences_of(FRAME, slow, unsure)[0].startswith(sentence)
    assert sentences_of(FRAME, slow, other)[0].startswith(sentence)
    assert sentences_of(FRAME, slow, wide)[0].startswith("No difference shown between onnxruntime and lightgbm with a")


def test_batches_of_which_nothing_is_shown_are_told_in_one_breath() -> None:
    one, more, most = (
        [alone(replace(r, speedup=r.speedup and replace(r.speedup, low=None, high=None))) for r in credit(batch)]
        for batch in (1, 64, 1000)
    )
    assert holds(sentences_of(*one, *more, *most), "No speed-up is certain: one process")
    assert holds(sentences_of(*credit(1), *more, *most), "No speed-up is certain at batch 64 and 1,000: one process")


@pytest.mark.parametrize(("low", "tied"), [(80.0, False), (89.95, True)])
def test_the_fastest_two_may_be_equal(low: float, tied: bool) -> None:
    near = faster(ONNX, 90.0, low, 91.0)
    first = faster(ARRAY, 95.0, 90.5 if tied else 92.0, 96.0)

    texts = sentences_of(FRAME, first, near)

    assert holds(texts, "No difference shown between lightgbm with an array and onnxruntime: intervals overlap") == tied


def test_other_labels_are_said_of_every_candidate_and_batch() -> None:
    results = [
        replace(result, label_changes=12, max_abs_delta=0.4)
        for batch in (1, 64)
        for result in credit(batch)
        if result.candidate != REFERENCE
    ]
    texts = alarms(*credit(1)[:1], *credit(64)[:1], *results)

    assert texts == [
        "DIFFERENT: lightgbm with an array gives another label in 12 of 1,024 rows.",
        "DIFFERENT: onnxruntime gives another label in 12 of 1,024 rows.",
        "DIFFERENT: lightgbm with an array gives another label in 12 of 1,024 rows at batch 64.",
        "DIFFERENT: onnxruntime gives another label in 12 of 1,024 rows at batch 64.",
    ]


def test_one_sided_nan_is_said() -> None:
    assert alarms(FRAME, replace(ONNX, non_finite_mismatches=2)) == [
        "DIFFERENT: onnxruntime and the reference disagree on what is a number in 2 answers."
    ]


def test_answers_that_were_not_compared_are_said_with_the_reason() -> None:
    odd = replace(ONNX, max_abs_delta=None, delta_note="it gave 3 columns")

    assert holds(sentences_of(FRAME, odd), "The answers of onnxruntime were not compared: it gave 3 columns.")


@pytest.mark.parametrize(("preprocess", "is_told"), [(414, False), (300, False), (600, True)])
def test_the_bottleneck_is_told_only_where_most_of_the_time_goes(preprocess: int, is_told: bool) -> None:
    slow = replace(FRAME, phases=phases_of(preprocess * US, 414 * US, 0))

    assert holds(sentences_of(slow, ONNX), "is not the bottleneck") == is_told


def test_batches_with_the_same_outcome_are_told_in_one_breath() -> None:
    assert sentences_of(*credit(1), *credit(64), *credit(1000))[:2] == [
        "onnxruntime answers a request 130× faster than lightgbm with a DataFrame, and the same to 7e-08.",
        "Likewise 130× (128–132) at batch 64 and 130× (128–132) at batch 1,000.",
    ]


def test_batches_with_another_winner_are_told_apart() -> None:
    frame, array, onnx = credit(64)
    texts = sentences_of(*credit(1), frame, faster(array, 200.0, 190.0, 210.0), onnx)

    assert texts[1] == (
        "lightgbm with an array answers a batch of 64 200× faster than lightgbm with a DataFrame, and exactly the same."
    )


def test_a_reference_that_failed_leaves_nothing_to_compare() -> None:
    texts = sentences_of(failure(REFERENCE, "killed"), replace(ONNX, speedup=None))

    assert texts == ["No speed-up is shown: the reference, lightgbm with a DataFrame, failed."]


@pytest.mark.parametrize("results", [(), (FRAME,), (failure(REFERENCE, "killed"),), (replace(FRAME, phases=None),)])
def test_nothing_to_say(results: tuple[BenchResult, ...]) -> None:
    models = group_results(results, SETTINGS)

    assert not any(
        sentence for model in models for sentence in describe_model(model) if "bottleneck" not in sentence.text
    )


@pytest.mark.parametrize(("queued", "is_told"), [(0.1, False), (0.6, True)])
def test_a_speed_up_on_a_busy_machine_is_told_beside_what_it_is_without_the_waiting(
    queued: float, is_told: bool
) -> None:
    """The long request waits for as long again and more, the short one fits between two others."""
    (long,) = [waiting_rounds(FRAME, 6_000_000, queued)]
    sentences = sentences_of(long, faster(waiting_rounds(ONNX, 60_000, 0.0), 250, 240, 260))
    assert holds(sentences, "(about 100× without waiting for a busy CPU)") == is_told


def test_a_candidate_whose_own_threads_hold_the_cpu_waits_for_nobody_else() -> None:
    sentences = sentences_of(
        waiting_rounds(FRAME, 6_000_000, 0.6, cpu=1.0), faster(waiting_rounds(ONNX, 60_000, 0.0), 250, 240, 260)
    )
    assert not holds(sentences, "without waiting")


def waiting_rounds(result: BenchResult, running_ns: int, queued: float, cpu: float | None = None) -> BenchResult:
    """A result of one block of 100 requests that waited for a share of their time; `cpu`: the share that it worked."""
    wall_ns = round(100 * running_ns / (1 - queued))
    cpu_ns = round(wall_ns * cpu) if cpu is not None else 100 * running_ns
    block = Round(0, 0, 1, 100, wall_ns, 0, (), (), (), (), cpu_ns, queued_ns=round(wall_ns * queued))
    return replace(result, processes=(replace(result.processes[0], rounds=(block,)),))
