"""How many files and connections a process may have open at a time."""

_OTHERS = 64
"""What else is open."""


def allow_connections(count: int) -> int:
    """Raise this process's own limit as far as so many connections take; returns how many it allows then."""
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return count
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= count + _OTHERS:
        return count
    limit = count + _OTHERS if hard == resource.RLIM_INFINITY else min(hard, count + _OTHERS)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    except (OSError, ValueError):
        limit = soft
    return max(0, limit - _OTHERS)
