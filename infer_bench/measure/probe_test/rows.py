"""Probes of all kinds in one table, in such an order that any part from its beginning holds some of each."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from infer_bench.data import Table, concat
from infer_bench.measure.validate.probes.rows import Probe
from infer_bench.typing import Ints

MOST_ROWS = 8_192
MOST_VALUES = 1 << 20
"""So many values in all columns at the most: 8 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class ProbeRows:
    """Probes: `kinds` (rows,) are places among the `names` of their kinds."""

    table: Table
    names: tuple[str, ...]
    kinds: Ints


def limit_rows(columns: int) -> int:
    """How many probes there may be of a model that takes so many columns."""
    return min(MOST_ROWS, max(1, MOST_VALUES // max(1, columns)))


def mix_probes(groups: Iterable[Probe], seed: int) -> ProbeRows:
    """Each kind spread evenly over the whole; those that ask for requests of another form are left out."""
    plain = [probe for probe in groups if not probe.singly and not probe.shuffled]
    table = concat([probe.table for probe in plain])
    kinds = np.repeat(np.arange(len(plain)), [probe.table.rows for probe in plain])
    random = np.random.default_rng(seed)
    places = np.concatenate([_spread(probe.table.rows, random) for probe in plain])
    order = np.argsort(places, kind="stable")[: limit_rows(len(table.columns))]
    return ProbeRows(table.take(order), tuple(probe.name for probe in plain), kinds[order].astype(np.int64))


def _spread(count: int, random: np.random.Generator) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Places (count,) between 0 and 1, at even distances and in random order."""
    return (random.permutation(count) + random.random()) / max(1, count)
