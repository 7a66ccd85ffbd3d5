"""The entry point of the command `infer-bench`."""

import sys


def main() -> int:
    """Run the command line; returns the exit code. `--version` is answered before anything else is imported."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from infer_bench import __version__

        print(f"infer-bench {__version__}")
        return 0
    try:
        from infer_bench.cli.app import app
        from infer_bench.cli.main import run
    except Exception as error:  # noqa: BLE001 - a broken library may raise anything when it is imported
        from infer_bench.installed import import_fault

        fault = import_fault(error)
        print(f"error: {fault.message}", file=sys.stderr)
        return fault.exit_code
    return run(sys.argv[1:], app)


if __name__ == "__main__":
    sys.exit(main())
