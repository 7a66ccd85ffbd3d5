"""Requests that take time on a clock: what they ask, and what they give. All times are ns."""

from collections.abc import Sized
from dataclasses import dataclass

from infer_bench.model import Label
from infer_bench.typing import Columns, Floats, Samples
from infer_bench.workers.protocol import Request, SessionRequest

WARM_WINDOW_NS = 20_000_000


@dataclass(frozen=True, slots=True)
class FirstRequest:
    """The time of one request, and the clock when it was answered.

    Until then the process had worked for `cpu_ns`, and its first thread had waited for a CPU for `queued_ns`.
    """

    request_ns: int
    done_ns: int
    cpu_ns: int = 0
    queued_ns: int | None = None


@dataclass(frozen=True, slots=True)
class TimeFirstRequest(SessionRequest[FirstRequest]):
    """Time the first request: of a fresh session, the first of all."""

    title = "first"
    batch: int


@dataclass(frozen=True, slots=True)
class MakeRequests(SessionRequest[None]):
    """Cut the rows into requests of `batch` rows, before the first of them is answered."""

    title = "requests"
    batch: int


@dataclass(frozen=True, slots=True)
class Warmth:
    """How the warm-up went: an estimate of one request, the time it took and whether it became steady.

    `floor_ns` is what the loop reads around no request at all, `stage_floor_ns` what two stamps in a row read.
    """

    request_ns: int
    warmup_ns: int
    steady: bool
    floor_ns: int
    stage_floor_ns: int


@dataclass(frozen=True, slots=True)
class WarmUp(SessionRequest[Warmth]):
    """Answer requests until two windows of `window_ns` agree, for `limit_ns` at the most."""

    title = "warm"
    batch: int
    limit_ns: int
    window_ns: int = WARM_WINDOW_NS


@dataclass(frozen=True, slots=True, eq=False)
class TimedBlock:
    """One block's raw samples, not corrected for the floor.

    `request` (samples,) are sums over the calls of a sample; the phases' arrays are as long, or have a length of their
    own where they were stamped in other calls. `wall_ns` spans the request samples, `rows` those that they answered,
    `cpu_ns` what all threads worked meanwhile, and `queued_ns` how long the thread waited for a CPU that others held,
    None where the kernel does not say. `reference_ns` is a fixed piece of work, timed just before the block.
    """

    request: Samples
    preprocess: Samples
    predict: Samples
    postprocess: Samples
    wall_ns: int
    rows: int
    gc_collections: int
    cpu_ns: int = 0
    reference_ns: int = 0
    queued_ns: int | None = None


@dataclass(frozen=True, slots=True)
class TimeBlock(SessionRequest[TimedBlock]):
    """Take `samples` samples of `calls` requests each, after a few that are thrown away.

    With `phases` they are stamped between the phases too, else phases get calls of their own; without `split` none.
    `start` is the request to begin with, so that two candidates answer the same ones; else the turn goes on.
    """

    title = "block"
    batch: int
    samples: int
    calls: int
    phases: bool
    split: bool = True
    start: int | None = None

    def check(self, response: TimedBlock) -> None:
        """See `Request.check`."""
        if response.request.shape != (self.samples,):
            raise ValueError(f"samples of shape {response.request.shape} instead of {self.samples}")
        if any(phase.ndim != 1 for phase in (response.preprocess, response.predict, response.postprocess)):
            raise ValueError("phases of more than one axis")


@dataclass(frozen=True, slots=True, eq=False)
class TimedRounds:
    """Rounds of blocks, each round's in the order in which they were asked for."""

    rounds: tuple[tuple[TimedBlock, ...], ...]


@dataclass(frozen=True, slots=True)
class TimeRounds(Request[TimedRounds]):
    """Take several rounds of one block each of several sessions, without a word in between.

    It stops after a round when `limit_ns` have passed, so fewer rounds may come back.
    """

    title = "rounds"
    rounds: tuple[tuple[TimeBlock, ...], ...]
    limit_ns: int

    def check(self, response: TimedRounds) -> None:
        """See `Request.check`."""
        if not 0 < len(response.rounds) <= len(self.rounds):
            raise ValueError(f"{len(response.rounds)} rounds instead of {len(self.rounds)}")
        for plans, blocks in zip(self.rounds, response.rounds, strict=False):
            if len(plans) != len(blocks):
                raise ValueError(f"{len(blocks)} blocks instead of {len(plans)}")
            for plan, block in zip(plans, blocks, strict=True):
                plan.check(block)


@dataclass(frozen=True, slots=True, eq=False)
class ChangedRowTimes:
    """Arrays (requests,) in ns: of requests that were answered before, and of the same ones a little changed."""

    repeated: Samples
    changed: Samples


@dataclass(frozen=True, slots=True)
class TimeChangedRows(SessionRequest[ChangedRowTimes]):
    """Time up to `count` requests of one row again, each beside one that nobody asked, for `limit_ns` at the most."""

    title = "changed rows"
    count: int
    limit_ns: int

    def check(self, response: ChangedRowTimes) -> None:
        """See `Request.check`."""
        if response.repeated.shape != response.changed.shape or response.repeated.ndim != 1:
            raise ValueError(f"times of shapes {response.repeated.shape} and {response.changed.shape}")


@dataclass(frozen=True, slots=True, eq=False)
class RowPredictions:
    """The canonical output (rows, outputs) and the labels (rows,), None for a model without classes.

    Of requests of arrays, `outputs` are all by name, as a `data.Table` has its columns; None of rows.
    """

    predictions: Floats
    labels: tuple[Label | None, ...] | None
    outputs: Columns | None = None


@dataclass(frozen=True, slots=True)
class PredictRows(SessionRequest[RowPredictions]):
    """Predict the rows in order, in requests of `batch` rows; it stops after `limit_ns`, so fewer may come back."""

    title = "answers"
    batch: int
    limit_ns: int

    def check(self, response: RowPredictions) -> None:
        """See `Request.check`."""
        check_predictions(response.predictions, response.labels)


def check_predictions(predictions: Floats, *by_row: Sized | None) -> None:
    """Raise ValueError unless these are (rows, outputs), and what stands beside them has an entry a row."""
    if predictions.ndim != 2:
        raise ValueError(f"predictions of shape {predictions.shape}")
    if any(one is not None and len(one) != len(predictions) for one in by_row):
        raise ValueError("labels or marks of another number of rows")


@dataclass(frozen=True, slots=True)
class InjectDelay(SessionRequest[None]):
    """Make every `every`-th request do more work: so many turns of an empty loop."""

    title = "plant"
    turns: int
    every: int
