"""From rounds of timed blocks to a request divided by phase. Pure: no clock, no file, no process."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from infer_bench.model import PHASES
from infer_bench.report.common import Latency, Phases
from infer_bench.report.profile import TypicalRequest
from infer_bench.stats.summary import summarise
from infer_bench.typing import Samples


@dataclass(frozen=True, slots=True)
class PhaseRound:
    """One round: requests without probes, and the same ones divided by them; ns, as stamped, arrays of (samples,)."""

    request: Samples
    preprocess: Samples
    predict: Samples
    postprocess: Samples
    waiting: Samples | None = None


@dataclass(frozen=True, slots=True)
class DividedRequest:
    """`typical` and `unaccounted_ns` sum to the p50 of `request`."""

    request: Latency
    phases: Phases
    typical: TypicalRequest
    unaccounted_ns: int


def divide(rounds: Sequence[PhaseRound], floor_ns: int, probe_ns: Sequence[int]) -> DividedRequest:
    """The request and its phases, corrected for the loop's floor and for the probes of each phase.

    Each request was made twice, so the sum of its phases has a ratio to its time without probes; the median of the
    ratios says how much of a request the phases explain. The phases' shares are means over the middle half of the
    ratios: a request that was interrupted in one of its two runs lies outside it.
    """
    request = summarise([[r.request for r in rounds]], floor_ns)
    parts = [summarise([[getattr(r, name) for r in rounds]], cost) for name, cost in zip(PHASES, probe_ns, strict=True)]
    middle = request.p50_ns or request.mean_ns
    whole = np.maximum(1.0, np.concatenate([r.request for r in rounds]) - floor_ns)
    phase_ns = np.array([np.concatenate([getattr(r, name) for r in rounds]) for name in PHASES], dtype=np.float64)
    phase_ns = np.maximum(0.0, phase_ns - np.asarray(probe_ns, dtype=np.float64).reshape(-1, 1))
    waiting = [r.waiting if r.waiting is not None else np.zeros(len(r.request)) for r in rounds]
    phase_ns = np.vstack([phase_ns, np.concatenate(waiting)])
    typical = [round(middle * share) for share in _shares(whole, phase_ns)]
    return DividedRequest(request, Phases(*parts), TypicalRequest(middle, *typical), middle - sum(typical))


def _shares(whole: npt.NDArray[np.float64], phase_ns: npt.NDArray[np.float64]) -> list[float]:
    """The part of the request that each phase takes; `phase_ns` is (phases, requests)."""
    summed = phase_ns.sum(axis=0)
    ratios = summed / whole
    order = np.argsort(ratios, kind="stable")
    quarter = len(order) // 4
    middle_half = order[quarter : len(order) - quarter]
    parts = (phase_ns[:, middle_half] / np.maximum(1.0, summed[middle_half])).mean(axis=1)
    return [float(part * np.median(ratios)) for part in parts]
