"""Errors of one output by its slices, and slices of a like scale pooled into what is judged together.

Boxes to 320 and scores of 0 to 1 may lie in one tensor: pooled, an error of the scores would drown in what the boxes
round.
"""

from dataclasses import dataclass

import numpy as np

from infer_bench.stats.agreement.rounding import DIFFERENT, FEWEST_ROWS, MOST_ROUNDING, SAME
from infer_bench.stats.agreement.ulps import EPSILONS, ulp_of
from infer_bench.typing import Bools, Floats, Indices

SCALES_APART = 10.0
"""Slices whose root mean squares lie this many times apart, with none between, are judged apart."""
MOST_ALONE = 2.0 * DIFFERENT
"""One element that is off by more than this many times the pooled error differs: it would hide in a mean."""
ULP_OF_HALF = 2.0**-24
"""Sigmoid and softmax are computed around 1/2: some kernels are off by that much, however small the probability."""
_SUMS = ("count", "squares", "own", "shaken", "other", "beyond", "negative")
_MAXIMA = ("largest", "largest_own", "largest_other")


@dataclass(frozen=True, slots=True, eq=False)
class SliceErrors:
    """Sums and maxima over the elements of each slice, (slices,) each.

    `squares` are of the exact values, `own` of the errors of the network that is the measure, `shaken` of what moving
    its numbers by an ulp does, `other` of the errors of the network measured; `beyond` counts what differs by the
    tolerances, `negative` exact values below 0. `largest` is the largest magnitude, `largest_own` the largest of both
    of the measure's errors, `largest_other` the largest error measured.
    """

    count: Floats
    squares: Floats
    own: Floats
    shaken: Floats
    other: Floats
    beyond: Floats
    negative: Floats
    largest: Floats
    largest_own: Floats
    largest_other: Floats

    @classmethod
    def of(cls, exact: Floats, own: Floats, shaken: Floats, other: Floats, beyond: Bools, mask: Bools) -> "SliceErrors":
        """Of values (slices, elements), errors none below 0; `shaken` are root mean squares over the draws.

        What is not in the `mask` takes no part.
        """
        size, mine, noise, theirs = (np.where(mask, values, 0.0) for values in (np.abs(exact), own, shaken, other))
        squares = (values**2 for values in (size, mine, noise, theirs))
        sums = (values.sum(axis=1, dtype=np.float64) for values in (mask, *squares, mask & beyond, mask & (exact < 0)))
        maxima = (values.max(axis=1, initial=0.0) for values in (size, np.maximum(mine, noise), theirs))
        return cls(*sums, *maxima)

    def __add__(self, other: "SliceErrors") -> "SliceErrors":
        sums = (getattr(self, name) + getattr(other, name) for name in _SUMS)
        return SliceErrors(*sums, *(np.maximum(getattr(self, name), getattr(other, name)) for name in _MAXIMA))

    @property
    def slices(self) -> int:
        """How many."""
        return len(self.count)

    def pool(self, which: Indices, precision: str) -> "PooledErrors":
        """Some slices as one; `precision` is the float dtype whose ulp no error can be below."""
        sums = {name: float(getattr(self, name)[which].sum()) for name in _SUMS}
        maxima = {name: float(getattr(self, name)[which].max(initial=0.0)) for name in _MAXIMA}
        count = max(1.0, sums["count"])
        own, shaken, other = (float(np.sqrt(sums[name] / count)) for name in ("own", "shaken", "other"))
        rounding = max(own, shaken, ulp_of(maxima["largest"], precision))
        is_probability = not sums["negative"] and 0 < maxima["largest"] <= 1
        unit = max(rounding, min(ULP_OF_HALF, EPSILONS[precision] / 2)) if is_probability else rounding
        return PooledErrors(int(sums["count"]), unit, rounding, own, other, sums["beyond"] > 0, **maxima)

    def clusters(self) -> list[Indices]:
        """The slices in groups of a like scale, each of enough elements for its error to be no lucky one."""
        sizes = np.sqrt(self.squares / np.maximum(1.0, self.count))
        order = np.argsort(sizes, kind="stable")
        rising = sizes[order]
        with np.errstate(all="ignore"):
            apart = (rising[1:] > SCALES_APART * rising[:-1]) & (rising[:-1] > 0)
        groups: list[Indices] = []
        for group in np.split(order, np.flatnonzero(apart) + 1):
            if groups and self.count[groups[-1]].sum() < FEWEST_ROWS:
                group = np.concatenate([groups.pop(), group])
            groups.append(group)
        if len(groups) > 1 and self.count[groups[-1]].sum() < FEWEST_ROWS:
            groups[-2:] = [np.concatenate(groups[-2:])]
        return groups


@dataclass(frozen=True, slots=True)
class PooledErrors:
    """Elements judged together. `unit` is what rounding is measured in: the measure's own error or what shaking does.

    That is `rounding`; of probabilities `unit` may be more. `own` and `other` are root mean squares of the errors of
    the measure and of the network measured. `is_beyond`: some element differs by the tolerances.
    """

    count: int
    unit: float
    rounding: float
    own: float
    other: float
    is_beyond: bool
    largest: float
    largest_own: float
    largest_other: float

    @property
    def is_measure(self) -> bool:
        """Whether there is anything to measure with: not zeros alone, nor where rounding is a thousandth of all.

        Nor where all of it is so small that its loss would pass for rounding.
        """
        is_fine = 0 < self.rounding <= MOST_ROUNDING * self.largest
        return self.other == 0 or (is_fine and MOST_ALONE * self.unit <= self.largest)

    @property
    def ratio(self) -> float:
        """The error in multiples of the unit."""
        if self.other == 0:
            return 0.0
        return self.other / self.unit if self.unit else float("inf")

    @property
    def limit(self) -> float:
        """Above it, one element's error is no rounding."""
        return max(MOST_ALONE * self.unit, SAME * self.largest_own)

    @property
    def is_different(self) -> bool:
        """Whether the error is no rounding, of all elements or of one of them."""
        return self.ratio > DIFFERENT or self.largest_other > self.limit

    @property
    def is_near(self) -> bool:
        """Whether it rounds more than the measure, and yet not so much as to differ."""
        return self.ratio > SAME and not self.is_different
