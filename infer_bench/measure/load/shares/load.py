"""An open loop whose requests are sent by the workers of a cluster."""

import contextlib
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from infer_bench.engines.http.target import is_loopback
from infer_bench.errors import CannotRun, UsageError
from infer_bench.measure.load.service import Service
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.measure.load.shares.clocks import ClockOffset, find_offsets, name_machine, read_clock
from infer_bench.measure.load.shares.generator import START_S, Share, ShareRecord
from infer_bench.measure.load.shares.merge import WorkerShare, merge_shares
from infer_bench.measure.load.shares.task import end_share, prepare_share, send_share
from infer_bench.progress import Progress
from infer_bench.report.load import LoadResult

_ROUNDS = 9
"""Of questions for the time; the first may be slow, since workers import for it."""
_LEAD_NS = 1_000_000_000
"""Between telling the workers when to start and the start."""
_LEAD_A_WORKER_NS = 20_000_000
_GRACE_S = 30.0
"""For a share's record to come, once all is over."""
_NS = 1_000_000_000


class Workers(Protocol):
    """The workers of a cluster, by their addresses."""

    def list_addresses(self) -> list[str]:
        """Those that are there."""

    def call_on_each(
        self, function: Callable[..., Any], arguments: Mapping[str, tuple[Any, ...]], limit_s: float
    ) -> dict[str, tuple[Any, str]]:
        """What the function returned on each of these workers, and in words why there is nothing."""

    def read_all(self, function: Callable[[], Any], addresses: Sequence[str]) -> dict[str, Any]:
        """What it returned on each, at once and beside whatever else they do. Raises where one is gone."""


class SplitLoad:
    """Requests at a rate, of which each worker sends a share. Nothing is known of it before all have reported."""

    def __init__(self, service: Service, rate: float, settings: LoadSettings, workers: Workers, progress: Progress):
        self._service, self._settings, self._workers, self._progress = service, settings, workers, progress
        self.about = f"{rate:,.6g} requests/s from several workers"
        self._number = uuid.uuid4().hex
        self._result: LoadResult | None = None

    def run(self) -> None:
        """Prepare every worker, agree on a start, and wait for what becomes of the requests.

        Raises `CannotRun` where a worker cannot take part. One that is lost later makes the load invalid.
        """
        addresses = sorted(self._workers.list_addresses())
        if self._settings.connections < len(addresses):
            raise UsageError(f"{len(addresses)} workers need a connection each", f"--connections {len(addresses)}")
        shares = self._share_out(addresses)
        try:
            self._prepare(shares)
            start_ns, clocks = self._agree_on_start(addresses)
            records = self._send(start_ns, clocks)
        finally:
            with contextlib.suppress(Exception):
                self._workers.call_on_each(end_share, dict.fromkeys(addresses, (self._number,)), 5.0)
        outcomes = [
            WorkerShare(address, share, clocks[address], *records[address]) for address, share in shares.items()
        ]
        if all(outcome.record is None for outcome in outcomes):
            raise CannotRun(f"no worker reported; {outcomes[0].worker}: {outcomes[0].reason}")
        self._result = merge_shares(outcomes, self._service, self._settings, start_ns)

    def _share_out(self, addresses: Sequence[str]) -> dict[str, Share]:
        """A share for each; predictions to compare answers with stay here."""
        keeps_answers = self._service.expected is not None
        service = Service(*(getattr(self._service, name) for name in ("target", "address", "codec", "payloads")))
        of = len(addresses)
        return {a: Share(service, self._settings, i, of, keeps_answers) for i, a in enumerate(addresses)}

    def _prepare(self, shares: Mapping[str, Share]) -> None:
        self._progress.update(0, f"preparing {len(shares)} workers")
        machine = name_machine() if is_loopback(self._service.address) else None
        arguments = {address: (self._number, share, machine) for address, share in shares.items()}
        for address, (_, reason) in self._workers.call_on_each(prepare_share, arguments, START_S).items():
            if reason:
                raise CannotRun(f"worker {address} cannot send requests: {reason}", "see that all workers can")

    def _agree_on_start(self, addresses: Sequence[str]) -> tuple[int, dict[str, ClockOffset]]:
        """When to start, on this process's clock, and how far the workers' clocks are from it."""
        rounds = []
        for _ in range(_ROUNDS):
            before_ns = time.perf_counter_ns()
            readings = self._workers.read_all(read_clock, addresses)
            rounds.append((before_ns, readings, time.perf_counter_ns()))
        clocks = find_offsets(rounds, name_machine())
        return time.perf_counter_ns() + _LEAD_NS + len(addresses) * _LEAD_A_WORKER_NS, clocks

    def _send(self, start_ns: int, clocks: Mapping[str, ClockOffset]) -> dict[str, tuple[ShareRecord | None, str]]:
        settings = self._settings
        span_s = settings.warmup_s + settings.duration_s + settings.timeout_s
        limit_s = (start_ns - time.perf_counter_ns()) / _NS + span_s + _GRACE_S
        arguments = {a: (self._number, start_ns + clock.offset_ns, limit_s) for a, clock in clocks.items()}
        self._progress.update(0.05, f"{self.about} for {settings.duration_s:g} s")
        return self._workers.call_on_each(send_share, arguments, limit_s + _GRACE_S)

    def build_results(self, is_over: bool) -> tuple[LoadResult, ...]:
        """The result of all shares together; nothing before they have been merged."""
        return () if self._result is None else (self._result,)
