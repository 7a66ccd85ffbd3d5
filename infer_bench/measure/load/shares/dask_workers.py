"""The workers of a Dask cluster, each of which is given its own task."""

import contextlib
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from infer_bench.engines.session import require
from infer_bench.errors import CannotRun
from infer_bench.measure.shards.cluster import connect

_POLL_S = 0.5
"""How often it is looked whether the workers are still there."""


class DaskWorkers:
    """Those of a client's cluster."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._distributed = require("distributed", "dask")

    def list_addresses(self) -> list[str]:
        """Those that are there."""
        return list(self._client.scheduler_info(n_workers=-1)["workers"])

    def call_on_each(
        self, function: Callable[..., Any], arguments: Mapping[str, tuple[Any, ...]], limit_s: float
    ) -> dict[str, tuple[Any, str]]:
        """What the function returned on each of these workers, and in words why there is nothing."""
        submit, until = self._client.submit, time.monotonic() + limit_s
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)  # the records, once to each worker
            futures = {
                submit(function, *own, workers=[address], allow_other_workers=False, pure=False): address
                for address, own in arguments.items()
            }
        outcomes: dict[str, tuple[Any, str]] = {}
        while futures:
            for future in [future for future in futures if future.done()]:
                outcomes[futures.pop(future)] = self._read(future)
            present = set(self.list_addresses())
            for future in [future for future, address in futures.items() if address not in present]:
                outcomes[futures.pop(future)] = (None, "the worker is gone")
                future.cancel()
            if futures and time.monotonic() > until:
                self._client.cancel(list(futures))
                return outcomes | dict.fromkeys(futures.values(), (None, f"no answer in {limit_s:.0f} s"))
            self._wait(list(futures))
        return outcomes

    def _wait(self, futures: Sequence[Any]) -> None:
        """Until one is there, for a moment at the most."""
        if futures:
            with contextlib.suppress(TimeoutError):
                self._distributed.wait(futures, timeout=_POLL_S, return_when="FIRST_COMPLETED")

    @staticmethod
    def _read(future: Any) -> tuple[Any, str]:
        try:
            return future.result(), ""
        except CannotRun as error:
            return None, error.message
        except Exception as error:  # noqa: BLE001 - whatever a worker raises is why it cannot take part
            return None, (str(error).splitlines() or [""])[0] or type(error).__name__

    def read_all(self, function: Callable[[], Any], addresses: Sequence[str]) -> dict[str, Any]:
        """What it returned on each, at once and beside whatever else they do. Raises `CannotRun` where one is gone."""
        values: dict[str, Any] = self._client.run(function, workers=list(addresses), on_error="ignore")
        missing = next((address for address in addresses if address not in values), "")
        if missing:
            raise CannotRun(f"worker {missing} is gone", "run it again")
        return values


@contextlib.contextmanager
def open_workers(on: str) -> Iterator[DaskWorkers]:
    """The workers of a cluster: of one on this machine, a worker for every CPU but one, which is the service's."""
    with connect(on, cpus_per_worker=1, spare_cpus=1) as client:
        yield DaskWorkers(client)
