"""Which layers are to blame: each is left in float32 in turn, and what difference remains is measured.

A tool that compares layer by layer with the optimiser off is blind to sums that saturate; leaving out is not. What is
chosen is chosen on rows that do not judge it.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from infer_bench.report.quantize import Blame

MOST_GROUPS = 16
"""Beyond so many layers, groups of them are left out first."""

Delta = Callable[[tuple[str, ...]], float]
"""max |Δ| of the form with these layers in float32."""
Meets = Callable[[tuple[str, ...]], bool]
"""Whether the form with these layers in float32 keeps the limits."""


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbouring layers, and what difference remains without them."""

    layers: tuple[str, ...]
    max_abs_delta: float


def blame_layers(layers: Sequence[str], fixed: tuple[str, ...], delta: Delta) -> tuple[Blame, ...]:
    """What remains without each layer, the smallest first; of many layers those of the group that matters most."""
    group = tuple(layers)
    while True:
        parts = split(group)
        groups = sorted((Group(part, delta((*fixed, *part))) for part in parts), key=lambda part: part.max_abs_delta)
        if not groups or len(groups[0].layers) == 1:
            return tuple(Blame(part.layers[0], part.max_abs_delta) for part in groups if len(part.layers) == 1)
        group = groups[0].layers


def split(layers: tuple[str, ...]) -> list[tuple[str, ...]]:
    """At most 16 groups of neighbours, as equal as can be."""
    count = min(MOST_GROUPS, len(layers))
    ends = [round(i * len(layers) / count) for i in range(count + 1)] if count else [0]
    return [layers[low:high] for low, high in itertools.pairwise(ends)]


def fewest_excluded(
    layers: Sequence[str], fixed: tuple[str, ...], delta: Delta, meets: Meets
) -> tuple[str, ...] | None:
    """The layers to leave in float32 beside `fixed`: the worst is added until the limits are met.

    Then each that is not needed after all is taken back. None where not even leaving out all but one does.
    """
    excluded: tuple[str, ...] = ()
    remaining = list(layers)
    while len(remaining) > 1:
        worst = blame_layers(remaining, (*fixed, *excluded), delta)[0].layer
        excluded, remaining = (*excluded, worst), [layer for layer in remaining if layer != worst]
        if meets((*fixed, *excluded)):
            return _without_needless(excluded, fixed, meets)
    return None


def _without_needless(excluded: tuple[str, ...], fixed: tuple[str, ...], meets: Meets) -> tuple[str, ...]:
    for layer in excluded[:-1]:
        fewer = tuple(other for other in excluded if other != layer)
        if meets((*fixed, *fewer)):
            excluded = fewer
    return excluded
