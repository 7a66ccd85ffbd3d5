"""The settings of a load: everything but the target and the rows."""

from dataclasses import dataclass, field
from typing import get_args

from infer_bench.engines.http.protocols.choose import ProtocolChoice
from infer_bench.errors import UsageError
from infer_bench.gates.limits import Bound, share_of
from infer_bench.report.load import Arrivals

ARRIVALS: tuple[Arrivals, ...] = get_args(Arrivals)
MOST_REQUESTS = 10_000_000
MOST_SECONDS = 3_600.0
MOST_CONNECTIONS = 10_000


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How a model is served that is named in place of an address; it begins to serve within `start_s`."""

    engine: str = ""
    threads: int = 1
    workers: int = 1
    allow_pickle: bool = False
    start_s: float = 120.0


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """Either a `rate`, requests a second, for an open loop, or `concurrency` for closed loops, one after the other.

    With `find_rate` the highest rate is looked for at which the `limits` hold, from `rate` on where there is one.

    `batch` is rows a request; `timeout_s` counts from the time a request is due.

    `limits` are on percentiles of the latency. `target_is_mine` allows a host other than this one, `token` is the
    bearer token that it asks for. Every answer is compared with what the model `check` predicts, within `max_delta` (by
    default the tolerance of `validate`).

    `on` names a cluster whose workers send the requests, as in `dask` and `dask://HOST:PORT`; None sends them here.
    """

    rate: float | None = None
    concurrency: tuple[int, ...] = ()
    find_rate: bool = False
    duration_s: float = 10.0
    warmup_s: float = 2.0
    connections: int = 64
    arrivals: Arrivals = "poisson"
    timeout_s: float = 5.0
    batch: int = 1
    limits: tuple[Bound, ...] = ()
    seed: int = 0
    target_is_mine: bool = False
    protocol: ProtocolChoice = field(default_factory=ProtocolChoice)
    token: str = field(default="", repr=False)
    server: ServerSettings = field(default_factory=ServerSettings)
    check: str | None = None
    max_delta: float | None = None
    on: str | None = None

    def __post_init__(self) -> None:
        kinds = sum((self.rate is not None or self.find_rate, bool(self.concurrency)))
        self._require(kinds == 1, "a load has a --rate or a --concurrency", "--rate 1000/s sends what is due")
        self._require(bool(self.limits) or not self.find_rate, "--find-rate needs a limit", "--slo 'p99<20ms'")
        self._require(self.rate is None or 0 < self.rate <= 1e6, "the rate is above 0 and at most 1,000,000/s")
        self._require(len(self.concurrency) <= 100, "at most 100 closed loops")
        is_bounded = all(1 <= users <= MOST_CONNECTIONS for users in self.concurrency)
        self._require(is_bounded, f"concurrency is 1 to {MOST_CONNECTIONS:,}")
        self._require(not (self.concurrency and self.limits), "--slo needs a --rate: a closed loop hides what is slow")
        self._require(0 < self.duration_s <= MOST_SECONDS, f"a load takes above 0 and at most {MOST_SECONDS:,.0f} s")
        self._require(self.seed >= 0, "the seed is a whole number from 0 on")
        self._require(0 <= self.warmup_s <= MOST_SECONDS, f"the warm-up takes at most {MOST_SECONDS:,.0f} s")
        self._require(1 <= self.connections <= MOST_CONNECTIONS, f"connections are 1 to {MOST_CONNECTIONS:,}")
        self._require(self.arrivals in ARRIVALS, f"arrivals are {' or '.join(ARRIVALS)}")
        self._require(0 < self.timeout_s <= MOST_SECONDS, f"a time limit is above 0 and at most {MOST_SECONDS:,.0f} s")
        self._require(1 <= self.batch <= 100_000, "a request has 1 to 100,000 rows")
        total = (self.rate or 0) * (self.duration_s + self.warmup_s)
        self._require(total <= MOST_REQUESTS, f"a load has at most {MOST_REQUESTS:,} requests, not {total:,.0f}")
        is_due = self.rate is None or round(self.rate * self.duration_s) >= 1
        self._require(is_due, "not one request is due in this time")
        self._require(self.check is not None or self.max_delta is None, "--max-delta goes with --check MODEL")
        is_split = self.on is not None
        self._require(not (is_split and self.concurrency), "--on splits a --rate", "leave out --concurrency")
        self._require(not (is_split and self.find_rate), "--on splits one --rate", "leave out --find-rate")
        for limit in self.limits:
            named = share_of(limit.metric) is not None and not limit.whom
            self._require(named, f"{limit.text!r} is no limit on a latency, as in 'p99<20ms'")

    @staticmethod
    def _require(holds: bool, message: str, hint: str = "") -> None:
        if not holds:
            raise UsageError(message, hint)
