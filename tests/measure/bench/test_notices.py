"""Which notices a run earns, and that their hints know what is in use."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from infer_bench.measure.bench import notices
from infer_bench.measure.bench.notices import InUse, find_notices
from infer_bench.report.bench import BenchResult, Process, Round
from infer_bench.report.common import Environment, Latency, ModelInfo

MACHINE = Environment("Linux", "x86_64", "cpu", 4, 4, None, 4.0, 1, "3.12", "python", {}, load_average_1m=0.1)
MODEL = ModelInfo("/m.txt", "lightgbm", "lightgbm-text", "0", 1)
RNG = np.random.default_rng(0)
CALM = (40_000 + 500 * RNG.standard_normal(600)).astype(int)


def process(samples: Any, index: int = 0, throttled_ns: int = 0) -> Process:
    parts = [tuple(int(v) for v in part) for part in np.array_split(samples, 12)]
    blocks = tuple(Round(i, 0, 1, 1, sum(part), 0, part, (), (), ()) for i, part in enumerate(parts))
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
    "noisy": (notices.HIGH_VARIANCE, {"result": row(process(NOISY))}),
    "two humps": (notices.BIMODAL, {"result": row(process(HUMPS))}),
    "one row repeated": (notices.SAME_ROW, {"in_use": InUse(rows="same")}),
    "few rows": (notices.FEW_ROWS, {"in_use": InUse(rows_cycled=255)}),
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
    assert notices.HIGH_VARIANCE not in codes(row(process(UNLIKE_ROWS)))


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
        (NOISY, notices.HIGH_VARIANCE, "--budget", InUse(budget_given=True)),
        (HUMPS, notices.BIMODAL, "--rows same", InUse(rows="same")),
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
    assert all("\n" not in notice.message + notice.hint and notice.hint for notice in notices_)
