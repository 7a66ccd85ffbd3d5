"""Tasks on a Dask cluster: one on this machine, or one that is running. Needs the extra `dask`."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from infer_bench.engines.session import require
from infer_bench.errors import CannotRun, UsageError
from infer_bench.libraries import PACKAGES
from infer_bench.machine.environment import describe
from infer_bench.measure.shards.identity import compare_versions
from infer_bench.version import __version__

MOST_DEATHS = 3
"""A task that ends so many workers is given up."""
_CONNECT_S = 10.0


def check_place(on: str) -> None:
    """Raises `UsageError` for what is no place to run on."""
    host, _, port = on.removeprefix("dask://").rpartition(":")
    if on != "dask" and not (on.startswith("dask://") and host and port.isdigit()):
        raise UsageError(f"there is no such place to run on: {on!r}", "--on dask, or --on dask://HOST:PORT")


def own_versions() -> dict[str, str]:
    """What must be the same on every worker."""
    environment = describe(PACKAGES)
    python = ".".join(environment.python.split(".")[:2])
    return {"infer-bench": __version__, "Python": python, **environment.packages}


def check_versions(expected: Mapping[str, str]) -> None:
    """Raises `CannotRun` where this process has other versions."""
    for name, (ours, theirs) in compare_versions(own_versions(), dict(expected)).items():
        raise CannotRun(f"a worker has {name} {ours or 'not installed'}, where {theirs or 'none'} is expected")


@contextlib.contextmanager
def connect(on: str, *, cpus_per_worker: int = 2, spare_cpus: int = 0) -> Iterator[Any]:
    """A client of the cluster, which ends with the context where it is of this machine.

    There it has a worker for so many CPUs, since a comparison keeps two busy, and leaves some out.

    Raises `CannotRun` where nobody answers, or a worker has other versions; `MissingDependency` without Dask.
    """
    distributed, config = require("distributed", "dask"), require("dask", "dask").config
    with config.set({"distributed.scheduler.allowed-failures": MOST_DEATHS - 1}), contextlib.ExitStack() as stack:
        try:
            if on == "dask":
                cpus = int(describe(()).cpus_effective) - spare_cpus
                address = stack.enter_context(_local(distributed, max(1, cpus // cpus_per_worker)))
            else:
                address = on.replace("dask://", "tcp://", 1)
            client = stack.enter_context(distributed.Client(address, timeout=_CONNECT_S))
        except RuntimeError as error:
            raise CannotRun(f"no Dask cluster can be started on this machine: {error}") from None
        except (OSError, ValueError) as error:
            raise CannotRun(f"no Dask scheduler answers at {on}: {error}", "start one: dask scheduler") from None
        _check_workers(client, on)
        yield client


def _local(distributed: Any, workers: int) -> Any:
    """Without a limit of memory, which would end workers."""
    return distributed.LocalCluster(
        n_workers=workers, threads_per_worker=1, host="127.0.0.1", memory_limit=None,
        dashboard_address="127.0.0.1:0", silence_logs=50,
    )  # fmt: skip


def _check_workers(client: Any, on: str) -> None:
    if count_workers(client) == 0:
        raise CannotRun(
            f"the Dask scheduler at {on} has no workers", f"start some: dask worker {on.partition('//')[2]}"
        )
    try:
        client.run(check_versions, own_versions())
    except CannotRun:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a worker raises that cannot import this module
        raise CannotRun(f"a worker cannot run infer-bench: {error}", "install the same on every worker") from None


def count_workers(client: Any) -> int:
    """How many workers there are."""
    return len(client.scheduler_info(n_workers=-1)["workers"])


def run_tasks(client: Any, function: Callable[..., Any], tasks: Mapping[int, tuple[Any, ...]]) -> Iterator[Any]:
    """(number, value, "") of each task as it ends, or (number, None, reason) where it was given up.

    A task whose worker dies, or that raises, is tried again, three times in all. There are no more tasks out than
    workers: one that waited behind a deadly one would be blamed for its deaths, and a result not fetched would be lost.
    """
    distributed = require("distributed", "dask")
    numbers: dict[Any, int] = {}
    waiting = iter(tasks.items())

    def submit(count: int) -> list[Any]:
        new = list(islice(waiting, count))
        futures = [client.submit(function, *own, pure=False, retries=MOST_DEATHS - 1) for _, own in new]
        numbers.update(zip(futures, (number for number, _ in new), strict=True))
        return futures

    completed = distributed.as_completed(submit(max(1, count_workers(client))))
    try:
        for future in completed:
            succeeds = future.status == "finished"
            yield numbers.pop(future), future.result() if succeeds else None, _explain(future, distributed)
            future.release()
            completed.update(submit(1))
    finally:
        client.cancel(list(numbers))


def _explain(future: Any, distributed: Any) -> str:
    if future.status == "finished":
        return ""
    error = future.exception()
    if isinstance(error, distributed.KilledWorker):
        return f"it ended {MOST_DEATHS} workers"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
