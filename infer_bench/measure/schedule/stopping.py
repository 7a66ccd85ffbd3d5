"""What decides who is measured, how, and for how long."""

from collections.abc import Collection, Mapping
from typing import Protocol

from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.schedule.sampling import SamplingPlan


class StoppingRule(Protocol):
    """Asked by the scheduler before every step. `warm_up`: `limit_ns` and `window_ns` of the warm-up of a session."""

    warm_up: tuple[int, int]

    @property
    def is_last_layout(self) -> bool:
        """Whether the layout under way is known to be the last one."""

    def next_candidates(self) -> list[Candidate]:
        """Who is measured on the next layout; nobody when there are layouts enough."""

    def plan_blocks(self, requests_ns: Mapping[Key, int]) -> Mapping[Key, SamplingPlan]:
        """How the blocks of candidates look whose requests take so long."""

    def allows_batch(self, batch: int) -> bool:
        """Whether there is time for a batch size on the layout under way."""

    def count_rounds(self, keys: Collection[Key], batch: int, count: int) -> int:
        """How many more rounds a layout is to have, of which `count` are made; 0 when it has enough."""

    def allows_block(self, key: Key, batch: int, index: int) -> bool:
        """Whether there is time for a block of the round of that number."""

    def keeps_layout(self, count: int) -> bool:
        """Whether a layout of so many rounds counts."""

    def estimate_progress(self, batch: int | None) -> float:
        """Which share of the whole lies behind, from 0 to 1, while a layout is opened or `batch` is measured."""
