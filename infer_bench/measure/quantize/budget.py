"""How long a quantisation may take, and what of it fits."""

import time
from dataclasses import dataclass, field, replace

from infer_bench.converters.quantization.forms import FORMS
from infer_bench.measure.quantize.rows import Rows
from infer_bench.report.common import Notice

RUNS = 3.5
"""So often a form answers all rows: as it is, with sums that cannot saturate, and some or all of them singly."""
SHARE_OF_LAYERS = 0.7
"""Beyond that share of the budget no more layers are left out one after the other."""
FEWEST_DRAWN = 64
"""So many drawn rows judge at the least."""


@dataclass(slots=True)
class Budget:
    """`total_s` seconds from `start_s` on; `row_s` is what the original takes for a row."""

    total_s: float
    row_s: float = 0.0
    start_s: float = field(default_factory=time.monotonic)

    def is_spent(self, share: float = 1.0) -> bool:
        """Whether that share of it is over."""
        return time.monotonic() - self.start_s > share * self.total_s

    def has_room(self, seconds: float) -> bool:
        """Whether what takes so long ends within it."""
        return time.monotonic() - self.start_s + seconds <= self.total_s

    def forms_s(self, rows: int) -> float:
        """What all forms may take to answer so many rows."""
        return (1 + len(FORMS) * RUNS) * rows * self.row_s

    def announce(self, rows: int) -> Notice:
        """What is to be expected."""
        text = (
            f"{len(FORMS)} forms answer {rows:,} rows in about {describe_s(self.forms_s(rows))}; making them and "
            f"looking for layers to leave out come on top. After {describe_s(self.total_s)} nothing new is tried"
        )
        return Notice("time-plan", text, "--budget allows more or less")


def describe_s(seconds: float) -> str:
    """In words, to two digits."""
    return f"{seconds / 60:.2g} min" if seconds >= 90 else f"{max(1.0, seconds):.0f} s"


def fit_drawn(rows: Rows, budget: Budget) -> tuple[Rows, list[Notice]]:
    """Fewer of drawn rows where they would fill more than half of the budget, with a note that says so."""
    stack, count = max(1, rows.judging.stack), rows.judging.count
    if not rows.are_drawn or budget.forms_s(count) <= budget.total_s / 2:
        return rows, []
    fitting = int(count * budget.total_s / 2 / budget.forms_s(count))
    judging = min(count, max(stack if stack > 1 else 1, max(FEWEST_DRAWN, fitting) // stack * stack))
    calibrating = min(rows.calibrating.count, max(stack, judging // 3 // stack * stack))
    if judging >= count:
        return rows, []
    text = f"{judging:,} drawn rows judge in place of {count:,}, for which the budget is too short"
    fewer = replace(
        rows, judging=rows.judging.take(range(judging)), calibrating=rows.calibrating.take(range(calibrating))
    )
    return fewer, [Notice("fewer-rows", text, "--budget allows more")]
