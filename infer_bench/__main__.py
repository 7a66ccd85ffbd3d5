"""The entry point of the command `infer-bench`."""

import os
import sys
import time

UNWRITABLE = 6
INTERRUPTED = 130  # 128 + SIGINT; `signal` takes a third as long to import as Python to start


def main() -> int:
    """Run the command line; returns the exit code. `--version` is answered before anything else is imported."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        return _print_version()
    begin_ns = time.perf_counter_ns()
    try:
        from infer_bench.cli.main import find_app, run
        from infer_bench.cli.streams import guard_stderr

        app = find_app(sys.argv[1:])
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a broken library may raise anything when it is imported
        from infer_bench.installed import import_fault

        fault = import_fault(error)
        print(f"error: {fault.message}", file=sys.stderr)
        return fault.exit_code
    guard_stderr()
    return run(sys.argv[1:], app, begin_ns)


def _print_version() -> int:
    from infer_bench.version import __version__

    try:
        print(f"infer-bench {__version__}", flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the last flush fails once more
        return UNWRITABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
