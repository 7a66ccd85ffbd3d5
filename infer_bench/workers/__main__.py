"""`python -m infer_bench.workers FD [CPUS]`: the process of one candidate."""

import os
import sys


def main() -> None:
    """Bind to the CPUs first, so that every library that is imported sizes itself by them."""
    if len(sys.argv) > 2 and sys.argv[2] and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(cpu) for cpu in sys.argv[2].split(",")})
    from infer_bench.workers import server

    server.main(sys.argv[1:])


if __name__ == "__main__":
    main()
