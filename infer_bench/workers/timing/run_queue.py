"""How long a thread was ready to run while others held the CPU."""

from collections.abc import Callable

_STATISTICS = "/proc/thread-self/schedstat"


def read_run_queue_ns() -> int | None:
    """The time that this thread has waited for a CPU so far, ns: the kernel's `run_delay`, see proc(5).

    None where the kernel does not keep it.
    """
    try:
        with open(_STATISTICS, "rb") as file:
            return int(file.read().split()[1])
    except (OSError, ValueError, IndexError):
        return None


def count_waiting_ns(queued_ns: int | None, wall_ns: int, cpu_ns: int) -> int:
    """The ns of `wall_ns` in which others held the CPU: not the process's own threads, which worked for `cpu_ns`.

    `queued_ns` is how long its first thread waited; 0 where it is not known.
    """
    return min(queued_ns or 0, max(0, wall_ns - cpu_ns))


def take_off_waits(time: Callable[[], int], read: Callable[[], int | None] = read_run_queue_ns) -> int:
    """The ns that `time` says it took, without those in which the thread waited for a CPU; 1 at least."""
    start = read()
    duration_ns, end = time(), read()
    waited_ns = 0 if start is None or end is None else end - start
    return max(1, duration_ns - waited_ns)
