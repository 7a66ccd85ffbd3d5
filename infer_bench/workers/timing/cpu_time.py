"""How long this process has worked, with the processes that it started and waited for."""

from time import process_time_ns


def read_cpu_ns() -> int:
    """CPU time in ns of all threads, and of children that have ended: a request may start one."""
    return process_time_ns() + _read_children_ns()


def _read_children_ns() -> int:
    try:
        import resource
    except ImportError:
        return 0
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return round((usage.ru_utime + usage.ru_stime) * 1e9)
