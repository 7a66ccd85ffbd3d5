"""The values that probe rows are made of."""

import numpy as np

from infer_bench.converters.ensemble import LEAF, MEMBER, Ensemble, Floats

_MISSING_SHARE = 0.05
_MOST_CODES = 256


def neighbours(thresholds: Floats) -> Floats:
    """(splits, 7): each threshold, its neighbours in float64, and its rounding to float32 with two neighbours each way."""
    with np.errstate(over="ignore"):
        single = thresholds.astype(np.float32)
    most, least = np.float32(np.inf), np.float32(-np.inf)
    up, down = np.nextafter(single, most), np.nextafter(single, least)
    columns = [
        thresholds,
        np.nextafter(thresholds, np.inf),
        np.nextafter(thresholds, -np.inf),
        single,
        up,
        down,
        np.nextafter(
            np.where(single < thresholds, up, down).astype(np.float32), np.where(single < thresholds, most, least)
        ),
    ]
    return np.stack([column.astype(np.float64) for column in columns], axis=1)


def zeros(band: float) -> Floats:
    """Zero of both signs, the smallest numbers, and the edges of the band that is read as zero."""
    edge = band or float(np.float32(1e-35))
    single = np.float32(edge)
    beyond = [float(np.nextafter(single, np.float32(1))), float(np.nextafter(edge, 1.0))]
    within = [float(np.nextafter(single, np.float32(0))), edge, 1e-40, 1e-300]
    values = [*within, *beyond]
    return np.array([0.0, -0.0, *values, *(-value for value in values)])


def column_values(ensemble: Ensemble, column: int, count: int, random: np.random.Generator) -> Floats:
    """Values of one feature as a user might give them, some of them missing."""
    nodes = ensemble.nodes
    here = (nodes.feature == column) & (nodes.mode != LEAF)
    sets = here & (nodes.mode == MEMBER)
    if sets.any() or ensemble.features[column].kind == "category":
        values = random.integers(0, _codes(ensemble, column) + 1, count).astype(np.float64)
    else:
        values = _around(np.unique(nodes.threshold[here]), count, random)
    if ensemble.linear is None:
        values[random.random(count) < _MISSING_SHARE] = np.nan
    return values


def _around(thresholds: Floats, count: int, random: np.random.Generator) -> Floats:
    """Draws that fall between and beside the thresholds; of a feature that no tree reads, standard normal ones."""
    usual = thresholds[np.abs(thresholds) < 1e30]
    if not len(usual):
        return random.normal(size=count)
    gap = np.median(np.diff(usual)) if len(usual) > 1 else max(1.0, abs(float(usual[0])))
    return random.choice(usual, count) + random.normal(size=count) * gap


def _codes(ensemble: Ensemble, column: int) -> int:
    """How many codes the feature is known to have."""
    nodes = ensemble.nodes
    at = np.flatnonzero((nodes.feature == column) & (nodes.mode == MEMBER))
    top = -1.0
    for node in at:
        held = nodes.members[nodes.member_start[node] : nodes.member_start[node + 1]]
        top = max(top, held.max(initial=-1.0))
    return max(int(top) + 1, len(ensemble.features[column].categories), 1)


def odd_categories(ensemble: Ensemble, column: int) -> list[float]:
    """Codes to try: known ones, the next, unseen ones, fractional and negative ones, and ones beyond 32 bits."""
    count = _codes(ensemble, column)
    known = np.unique(np.linspace(0, count, min(count + 1, _MOST_CODES)).astype(np.int64)).astype(np.float64).tolist()
    fractions = [known[len(known) // 2] + 0.5, count - 0.001, 0.999, -0.5, -0.001]
    return [*known, *fractions, -1.0, -7.0, count + 31.0, count * 10.0 + 64, 1e6, 2.0**24, 2.0**31, 1e10]
