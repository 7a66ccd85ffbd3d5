"""The search for the fewest changes under which the reference predicts what the candidate does."""

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from infer_bench.errors import EngineError
from infer_bench.measure.validate.causes.counterfactual import (
    BASE_SCORE,
    INPUT_CAST,
    LINK,
    THRESHOLD_CAST,
    Counterfactual,
)
from infer_bench.measure.validate.causes.estimates import estimates
from infer_bench.measure.validate.causes.reference import Reference, ReferenceTrees
from infer_bench.measure.validate.causes.row_changes import swap_columns
from infer_bench.typing import Bools, Floats, Indices

NOISE = 4e-6
"""Predictions this near, as a share of their size, are the same in float32 arithmetic."""
MOST_CAUSES = 4
BEAM = 3
ENOUGH = 0.9
"""The share of the differing rows that a set of causes must explain to be claimed."""
BROKEN = 0.02
"""The share of the rows that agree which it may at most make differ."""
MOST_SWAPS = 500


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Changes in force, the predictions under them, and which rows they bring to the candidate's predictions."""

    changes: tuple[Counterfactual, ...]
    predictions: Floats
    right: Bools

    @property
    def causes(self) -> set[str]:
        """The names of what is in force."""
        return {change.cause for change in self.changes}

    def score(self) -> tuple[int, int]:
        """The more rows are right the better, then the fewer changes."""
        return int(self.right.sum()), -len(self.changes)


@dataclass(slots=True, eq=False)
class Search:
    """Rows, the candidate's predictions for them (rows, outputs), and which of them differ.

    No further change is tried from `until_ns` of the monotonic clock on; None: all are.
    """

    reference: Reference
    candidate: Floats
    differ: Bools
    rows: Indices
    until_ns: int | None = None
    tolerance: Floats = field(init=False)
    base: State = field(init=False)

    def __post_init__(self) -> None:
        self.tolerance = closeness(self.candidate, self.candidate)
        self.base = self.state(())

    def run(self) -> State | None:
        """The best set of changes, pruned; None when none accounts for the rows."""
        best = max(self._grow(), key=State.score)
        if not self._accounts(best):
            best = max([best, *self._swaps()], key=State.score)
        best = self._prune(best)
        return best if best.changes and self._accounts(best) else None

    @property
    def has_time(self) -> bool:
        """Whether further changes are tried."""
        return self.until_ns is None or time.monotonic_ns() < self.until_ns

    def state(self, changes: Sequence[Counterfactual]) -> State:
        """The predictions under these changes; nothing is right under those with which the library cannot predict."""
        try:
            predictions = self.reference.predictions(changes, self.rows)
        except EngineError:
            if not changes:
                raise
            return State(
                tuple(changes), np.full_like(self.candidate, np.nan), np.zeros(len(self.candidate), dtype=np.bool_)
            )
        return State(tuple(changes), predictions, self._right(predictions))

    def _right(self, predictions: Floats) -> Bools:
        if predictions.shape != self.candidate.shape:
            return np.zeros(len(self.candidate), dtype=np.bool_)
        return matches(predictions, self.candidate, self.tolerance)

    def _grow(self) -> list[State]:
        """Beam search: the best few sets, each with one more change, until nothing gets better."""
        beam, catalogue = [self.base], self.reference.catalogue
        states = list(beam)
        casts = {t.cause: t for t in reversed(catalogue) if t.cause in (INPUT_CAST, THRESHOLD_CAST)}
        first = [self.state(tuple(casts.values()))] if len(casts) == 2 else []
        first += self._offset_links(catalogue)
        for _ in range(MOST_CAUSES):
            longer = [
                self.state((*s.changes, change)) for s in beam for change in self._next(s, catalogue) if self.has_time
            ]
            longer = sorted([*first, *longer], key=State.score, reverse=True)[:BEAM]
            if not longer or longer[0].score()[0] <= beam[0].score()[0]:
                break
            beam, first = longer, []
            states += beam
            if beam[0].right.all():
                break
        return states

    def _offset_links(self, catalogue: Sequence[Counterfactual]) -> list[State]:
        """Another link and another base score at once: neither alone brings any row nearer."""
        links = [self.state((change,)) for change in catalogue if change.cause == LINK and self.has_time]
        return [
            self.state((*s.changes, change))
            for s in links
            for change in self._next(s, ())
            if change.cause == BASE_SCORE and self.has_time
        ]

    def _next(self, state: State, catalogue: Sequence[Counterfactual]) -> list[Counterfactual]:
        wrong = ~state.right
        changes = [change for change in catalogue if change.cause not in state.causes]
        if wrong.any() and state.predictions.shape == self.candidate.shape:
            read_off = estimates(
                self.reference, state.changes, state.predictions[wrong], self.candidate[wrong], self.rows[wrong]
            )
            changes += [change for change in read_off if change.cause not in state.causes]
        return changes

    def _swaps(self) -> list[State]:
        """Two columns in each other's place: every pair that the trees read, on a few rows first."""
        if not isinstance(self.reference, ReferenceTrees):
            return []
        features = np.unique(self.reference.ensemble.nodes.feature)
        pairs = itertools.combinations(features[features >= 0].tolist(), 2)
        few = Search(self.reference, self.candidate[:32], self.differ[:32], self.rows[:32])
        names = self.reference.names
        some = itertools.islice(pairs, MOST_SWAPS)
        swaps = [few.state([swap_columns(names, i, j)]) for i, j in itertools.takewhile(lambda _: self.has_time, some)]
        return [self.state(max(swaps, key=State.score).changes)] if swaps else []

    def _prune(self, state: State) -> State:
        """Without the changes that change nothing for the better."""
        for change in state.changes:
            rest = self.state([other for other in state.changes if other is not change])
            if rest.score()[0] >= state.score()[0]:
                return self._prune(rest)
        return state

    def _accounts(self, state: State) -> bool:
        """Whether the set explains nearly all rows that differ and leaves alone those that do not."""
        alike = ~self.differ & self.base.right
        broken = int((~state.right & alike).sum())
        explained = int((state.right & self.differ).sum())
        enough = explained >= ENOUGH * self.differ.sum() and explained > 0
        return bool(enough and broken <= BROKEN * alike.sum())


def closeness(reference: Floats, candidate: Floats) -> Floats:
    """How near two predictions for a row (rows,) must be to count as the same in float32 arithmetic."""
    sizes = np.where(np.isfinite(reference), np.abs(reference), 0.0)
    other = np.where(np.isfinite(candidate), np.abs(candidate), 0.0)
    typical = float(np.median(sizes)) if sizes.size else 0.0
    return np.asarray(NOISE * np.maximum(np.maximum(sizes, other).max(axis=1, initial=0.0), typical))


def matches(one: Floats, other: Floats, tolerance: Floats) -> Bools:
    """Which rows (rows,) agree to within `tolerance` (rows,) in all outputs, NaN with NaN and inf with itself."""
    with np.errstate(all="ignore"):
        near = np.abs(one - other) <= tolerance[:, None]
    return np.asarray((near | (one == other) | (np.isnan(one) & np.isnan(other))).all(axis=1))
