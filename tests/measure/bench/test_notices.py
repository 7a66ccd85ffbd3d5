"""Which notices a run earns, and that their hints know what is in use."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from infer_bench.measure.bench import noise, notices
from infer_bench.measure.bench.drift import DRIFT
from infer_bench.measure.bench.in_use import InUse
from infer_bench.measure.bench.notices import find_notices
from infer_bench.measure.bench.report import note_untimed_starts
from infer_bench.report.bench import BenchResult, Process, Round
from infer_bench.report.common import Environment, Latency, ModelInfo, Notice

MACHINE = Environment("Linux", "x86_64", "cpu", 4, 4, None, 4.0, 1, "3.12", "python", {}, load_average_1m=0.1)
MODEL = ModelInfo("/m.txt", "lightgbm", "lightgbm-text", "0", 1)
RNG = np.random.default_rng(0)
CALM = (40_000 + 500 * RNG.standard_normal(600)).astype(int)


def process(samples: Any, index: int = 0, throttled_ns: int = 0, reference_ns: Any = 0, queued: Any = 0.0) -> Process:
    parts = [tuple(int(v) for v in part) for part in np.array_split(samples, 12)]
    fixed_work = np.resize(np.asarray(reference_ns, dtype=np.int64), 12).tolist()
    waits = (
        [None] * 12 if queued is None else [int(sum(p) * q) for p, q in zip(parts, np.resize(queued, 12), strict=True)]
    )
    blocks = tuple(
        Round(i, 0, 1, 1, sum(part), 0, part, (), (), (), 0, fixed_work[i], waits[i]) for i, part in enumerate(parts)
    )
    return Process(index, 1, 1, 1, 1, 1, 1, True, 1, 1, 90, 90, throttled_ns=throttled_ns, rounds=blocks)


def row(*processes: Process, **changes: Any) -> BenchResult:
    request = Latency(40_000, None, None, 40_000, 1, 9, 600, floor_ns=90)
    base = BenchResult("c", "lightgbm", {}, MODEL, 1, request=request, cold_start_ns=1, processes=processes)
    return replace(base, **changes)


def codes(result: BenchResult | None = None, in_use: InUse | None = None, machine: Environment = MACHINE) -> list[str]:
    results = [result or row(process(CALM))]
    return [notice.code for notice in find_notices(machine, results, in_use or InUse())]


NOISY = np.concatenate([CALM * 3 // 4, CALM, CALM * 5 // 4])
HUMPS = np.concatenate([CALM, CALM, CALM, CALM * 2])
RISE = np.repeat(np.linspace(1.0, 1.5, 12), 50)
STEADY = [50_000, 50_400, 49_800]
UNSTEADY = np.repeat([37_500, 50_000, 62_500], 4)
TWO_SPEEDS = np.repeat([50_000, 50_000, 50_000, 100_000], 3)
UNLIKE_ROWS = np.stack([CALM[:200] // 2, CALM[:200], CALM[:200] * 3 // 2], axis=1).ravel()
SHORT = Latency(200, None, None, 200, 1, 9, 600, floor_ns=92)
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "more threads than CPUs": (notices.THREADS_EXCEED_CORES, {"in_use": InUse(threads=5)}),
    "a candidate's own threads": (notices.THREADS_EXCEED_CORES, {"result": row(options={"threads": "8"})}),
    "threads beyond a quota": (
        notices.THREADS_EXCEED_CORES,
        {"in_use": InUse(threads=2), "machine": replace(MACHINE, cpus_quota=1.5, cpus_effective=1.5)},
    ),
    "throttled": (notices.QUOTA_THROTTLING, {"result": row(process(CALM, throttled_ns=10**6))}),
    "noisy": (noise.HIGH_VARIANCE, {"result": row(process(NOISY))}),
    "noisy by itself": (noise.HIGH_VARIANCE, {"result": row(process(NOISY, reference_ns=STEADY))}),
    "noisy as the machine is": (noise.UNSTEADY_MACHINE, {"result": row(process(NOISY, reference_ns=UNSTEADY))}),
    "two humps": (noise.BIMODAL, {"result": row(process(HUMPS))}),
    "one row repeated": (notices.SAME_ROW, {"in_use": InUse(rows="same")}),
    "few rows": (notices.FEW_ROWS, {"in_use": InUse(rows_cycled=255)}),
    "slower with every request": (
        DRIFT,
        {"result": row(*(process((CALM * RISE).astype(int), i, reference_ns=STEADY) for i in range(2)))},
    ),
    "a busy machine": (notices.BUSY_MACHINE, {"machine": replace(MACHINE, load_average_1m=3.5)}),
    "a short call": (notices.FLOOR_DOMINATES, {"result": row(request=SHORT)}),
    "a lean worker": (notices.COLD_ROW, {"in_use": InUse(lean=frozenset({"c"}))}),
}


def test_both_sides_of_a_gate_are_looked_at_though_they_have_one_label() -> None:
    old = row(process(CALM, throttled_ns=10**6), model=MODEL, options={"threads": "1"})
    new = row(process(CALM, throttled_ns=10**7), model=replace(MODEL, path="/new.txt"), options={"threads": "6"})
    notices_ = find_notices(MACHINE, [old, new], InUse())
    throttled = [notice.message for notice in notices_ if notice.code == notices.QUOTA_THROTTLING]
    assert len(throttled) == 2
    assert notices.THREADS_EXCEED_CORES in [notice.code for notice in notices_]


def test_rows_of_unlike_cost_are_no_noise_of_the_machine() -> None:
    assert noise.HIGH_VARIANCE not in codes(row(process(UNLIKE_ROWS)))


def warnings_of(result: BenchResult) -> list[str]:
    return [notice.code for notice in find_notices(MACHINE, [result], InUse()) if notice.level == "warning"]


def notice_of(code: str, result: BenchResult) -> Notice:
    return next(notice for notice in find_notices(MACHINE, [result], InUse()) if notice.code == code)


def test_noise_is_the_machine_s_where_fixed_work_beside_it_varied_as_well() -> None:
    machine = row(*(process(NOISY, index, reference_ns=UNSTEADY) for index in range(3)))
    assert warnings_of(machine) == [noise.UNSTEADY_MACHINE]
    notice = notice_of(noise.UNSTEADY_MACHINE, machine)
    assert (notice.candidate, notice.hint) == (None, "")
    assert re.fullmatch(
        r"the machine was unsteady: fixed work between the blocks varied by \d+ %, requests by \d+ %", notice.message
    )
    own = row(*(process(NOISY, index, reference_ns=STEADY) for index in range(3)))
    assert warnings_of(own) == [noise.HIGH_VARIANCE, noise.BIMODAL]
    assert "it is the candidate, not the machine" in notice_of(noise.HIGH_VARIANCE, own).message


def test_requests_that_waited_for_a_cpu_are_the_machine_s_noise_whatever_fixed_work_shows() -> None:
    waiting = np.repeat([0.1, 0.33, 0.46], 4)
    machine = row(*(process(NOISY, index, reference_ns=STEADY, queued=waiting) for index in range(3)))
    assert warnings_of(machine) == [noise.UNSTEADY_MACHINE]
    assert "requests waited for a CPU 33 % of the time" in notice_of(noise.UNSTEADY_MACHINE, machine).message


def test_a_machine_that_others_use_is_mentioned_though_it_is_steady() -> None:
    busy = row(process(CALM[:24], reference_ns=STEADY, queued=0.4))
    assert warnings_of(busy) == [noise.UNSTEADY_MACHINE]
    assert notice_of(noise.UNSTEADY_MACHINE, busy).message == (
        "the machine was busy: requests waited for a CPU up to 40 % of the time"
    )
    assert codes(row(process(CALM, reference_ns=STEADY, queued=0.1))) == []


def test_nobody_is_blamed_where_the_kernel_does_not_say_who_held_the_cpu() -> None:
    unknown = row(process(NOISY, reference_ns=STEADY, queued=None))
    assert "candidate" not in notice_of(noise.HIGH_VARIANCE, unknown).message


def test_an_unsteady_machine_that_did_not_move_the_requests_is_not_mentioned() -> None:
    assert codes(row(process(CALM, reference_ns=UNSTEADY))) == []


def test_two_groups_are_a_warning_unless_the_machine_had_two_speeds() -> None:
    own = notice_of(noise.BIMODAL, row(process(HUMPS, reference_ns=STEADY)))
    assert own.level == "warning"
    assert "76 % around 39.9 µs and 24 % around 79.9 µs" in own.message
    assert "machine" not in own.hint
    of_machine = notice_of(noise.BIMODAL, row(process(HUMPS, reference_ns=TWO_SPEEDS)))
    assert of_machine.level == "note"
    assert "the machine" in of_machine.hint


def test_two_groups_are_the_machine_s_where_requests_waited_for_whole_slices() -> None:
    slices = row(process(HUMPS, reference_ns=STEADY, queued=0.15))
    assert notice_of(noise.BIMODAL, slices).level == "note"


def test_the_places_of_two_groups_are_those_of_one_call() -> None:
    means = row(process(HUMPS * 10, reference_ns=STEADY), calls_per_sample=10)
    assert "76 % around 39.9 µs" in notice_of(noise.BIMODAL, means).message


@pytest.mark.parametrize(
    ("code", "level"),
    [("floor-dominates", "note"), ("cold-row", "note"), ("few-rows", "warning"), ("same-row", "warning")],
)
def test_background_is_a_note(code: str, level: str) -> None:
    arguments = next(arguments for of, arguments in CASES.values() if of == code)
    result = arguments.get("result", row(process(CALM)))
    notices_ = find_notices(MACHINE, [result], arguments.get("in_use", InUse()))
    assert {notice.level for notice in notices_ if notice.code == code} == {level}


@pytest.mark.parametrize("name", CASES)
def test_each_condition_earns_its_notice(name: str) -> None:
    code, arguments = CASES[name]
    assert code in codes(**arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"in_use": InUse(threads=4)},
        {"machine": replace(MACHINE, cpus_effective=0.5, cpus_quota=0.5)},
        {"machine": replace(MACHINE, load_average_1m=None)},
        {"result": row(request=SHORT, calls_per_sample=100)},
        {"result": row(process(CALM, throttled_ns=1000))},
        {"result": row(process(HUMPS), process(CALM, 1), process(CALM, 2))},
        {"result": row(process(HUMPS), failed="killed", request=None)},
        {"result": row(options={"threads": "all"})},
    ],
)
def test_a_calm_run_earns_none(arguments: dict[str, Any]) -> None:
    assert codes(**arguments) == []


@pytest.mark.parametrize(
    ("samples", "code", "flag", "in_use"),
    [
        (NOISY, noise.HIGH_VARIANCE, "--budget", InUse(budget_given=True)),
        (HUMPS, noise.BIMODAL, "--rows same", InUse(rows="same")),
    ],
)
def test_a_hint_never_proposes_what_is_in_use(samples: Any, code: str, flag: str, in_use: InUse) -> None:
    def hint(settings: InUse) -> str:
        return next(
            notice.hint for notice in find_notices(MACHINE, [row(process(samples))], settings) if notice.code == code
        )

    assert flag in hint(InUse())
    assert flag not in hint(in_use)


def test_a_double_install_names_both_and_every_notice_is_one_line_with_a_hint() -> None:
    notices_ = list(find_notices(MACHINE, [row(process(CALM))], InUse(), [("onnxruntime", "onnxruntime-gpu")]))
    assert [notice.code for notice in notices_] == [notices.DOUBLE_INSTALL]
    for _, arguments in CASES.values():
        result = arguments.get("result", row(process(CALM)))
        notices_ += find_notices(arguments.get("machine", MACHINE), [result], arguments.get("in_use", InUse()))
    assert {notice.code for notice in notices_} == set(notices.CODES)
    assert all("\n" not in notice.message + notice.hint for notice in notices_)
    assert {notice.code for notice in notices_ if not notice.hint} == {noise.UNSTEADY_MACHINE}


def test_a_budget_that_left_no_time_to_time_a_start_is_said_to_be_why() -> None:
    untimed = row(process(CALM), cold_start_ns=None, rss_bytes=1)
    (notice,) = note_untimed_starts([untimed, row(process(CALM))], 5.0)
    assert notice.message == "no cold start was timed: the budget of 5 s left no time for one start after the other"
    assert notice.level == "note"
    (notice,) = note_untimed_starts([untimed, replace(untimed, rss_bytes=None)], 5.0)
    assert notice.message.endswith("after the other, and no memory is known of a process that drew rows before")


@pytest.mark.parametrize(
    ("result", "budget_s"),
    [
        (row(process(CALM)), 5.0),
        (row(process(CALM), cold_start_ns=None), None),
        (row(cold_start_ns=None), 5.0),
        (row(process(CALM), cold_start_ns=None, failed="broken"), 5.0),
    ],
)
def test_nothing_is_said_of_starts_that_were_timed_or_never_to_be(result: BenchResult, budget_s: float | None) -> None:
    assert note_untimed_starts([result], budget_s) == ()
