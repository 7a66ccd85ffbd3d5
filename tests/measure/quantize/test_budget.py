"""How long a quantisation may take: fewer drawn rows, and no more forms and layers once the time is over."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from infer_bench.measure.quantize.arrays import Requests
from infer_bench.measure.quantize.budget import Budget, describe_s, fit_drawn
from infer_bench.measure.quantize.rows import Rows
from infer_bench.measure.quantize.run import quantize
from infer_bench.measure.quantize.settings import QuantizeLimits, QuantizeSettings
from infer_bench.measure.quantize.times import least_s
from tests.faulty_networks import save_network


def rows(judging: int, stack: int = 1) -> Rows:
    few, many = (Requests({"x": np.zeros((count, 2))}, count, stack) for count in (judging // 3, judging))
    return Rows(few, many, None, are_drawn=True)


@pytest.mark.parametrize(
    ("row_s", "stack", "judging"), [(1e-4, 1, 768), (0.1, 1, 136), (10.0, 1, 64), (0.1, 100, 100), (10.0, 256, 256)]
)
def test_drawn_rows_fit_the_budget(row_s: float, stack: int, judging: int) -> None:
    fitting, notices = fit_drawn(rows(768, stack), Budget(600.0, row_s))
    assert fitting.judging.count == judging
    assert len(fitting.judging.arrays["x"]) == judging
    assert fitting.calibrating.count % stack == 0
    assert [notice.code for notice in notices] == ([] if judging == 768 else ["fewer-rows"])
    given = replace(rows(768, stack), are_drawn=False)
    assert fit_drawn(given, Budget(600.0, row_s)) == (given, [])


def test_what_is_expected_is_said() -> None:
    message = Budget(600.0, 0.01).announce(1_000).message
    assert message.startswith("6 forms answer 1,000 rows in about 3.7 min")
    assert (describe_s(0.2), describe_s(89.0), describe_s(600.0)) == ("1 s", "89 s", "10 min")
    assert Budget(600.0).has_room(least_s(64, 6, 0.001))
    assert not Budget(600.0).has_room(least_s(64, 6, 0.1))


def test_nothing_new_is_tried_once_the_time_is_over(tmp_path: Path) -> None:
    model = str(save_network(tmp_path / "n.onnx"))
    limits = QuantizeLimits(max_delta=1e-9)
    settings = QuantizeSettings(limits, allow_drawn=True, exclude_auto=True, budget_s=1e-6)
    report = quantize(model, settings=settings)
    assert report.verdict is not None
    assert report.verdict.exit_code == 4
    _, first, *others = report.results
    assert (first.failed, first.blame, first.times) == (None, (), ())
    assert {result.failed for result in others} == {"not tried, as 1 s were over (--budget)"}
    assert {"time-plan", "fewer-rows"} <= {notice.code for notice in report.notices}
