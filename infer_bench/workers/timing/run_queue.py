"""How long a thread was ready to run while others held the CPU."""

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
